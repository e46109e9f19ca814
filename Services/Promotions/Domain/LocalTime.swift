import Kernel

/// A moment as the clock on a shop's wall shows it.
///
/// Russia keeps no summer time since 26 October 2014 (Federal Law 248-FZ of 21 July 2014), so a zone is a fixed number of
/// minutes and needs no table of rules.
struct LocalTime: Hashable, Sendable {
    /// UTC+3.
    static let moscowMinutes: Int64 = 180
    /// UTC−12 to UTC+14.
    static let offsets: ClosedRange<Int64> = -720...840

    let date: CivilDate
    /// Minutes since midnight, 0…1439.
    let minute: Int64

    init(_ moment: Timestamp, offsetMinutes: Int64) {
        let seconds = moment.secondsSince1970 + offsetMinutes * 60
        let days = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
        self.date = CivilDate(daysSince1970: days)
        self.minute = (seconds - days * 86_400) / 60
    }

    /// 1 is Monday, 7 is Sunday (ISO 8601).
    var weekday: Int { self.date.weekday }
}

extension CivilDate {
    /// 1 is Monday, 7 is Sunday (ISO 8601). 1 January 1970 was a Thursday.
    var weekday: Int {
        let shifted = (self.daysSince1970 + 3) % 7
        return Int(shifted < 0 ? shifted + 7 : shifted) + 1
    }

    var firstOfMonth: CivilDate { self.adding(days: 1 - self.day) }

    var firstOfNextMonth: CivilDate { self.firstOfMonth.adding(days: 31).firstOfMonth }

    var firstOfLastMonth: CivilDate { self.firstOfMonth.adding(days: -1).firstOfMonth }

    func adding(days: Int64) -> CivilDate { CivilDate(daysSince1970: self.daysSince1970 + days) }

    /// The moment at which the day begins in a zone.
    func start(offsetMinutes: Int64) -> Timestamp {
        Timestamp(secondsSince1970: self.daysSince1970 * 86_400 - offsetMinutes * 60)
    }

    /// `2026-11-23`.
    var text: String { String(self.start(offsetMinutes: 0).description.prefix(10)) }

    /// Reads `2026-11-23`.
    init?(text: String) {
        guard text.utf8.count == 10, let moment = Timestamp(text + "T00:00:00Z") else { return nil }
        self.init(daysSince1970: moment.secondsSince1970 / 86_400)
    }
}

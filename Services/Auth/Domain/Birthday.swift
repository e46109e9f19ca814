import Kernel

/// A day of birth, `1984-02-29`. In JSON a string.
struct Birthday: ValidatedText {
    static let requirement = "a birthday is written as 1984-02-29, from 1900 on"

    /// Personal data: never for logs.
    let text: String
    let day: CivilDate

    init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard text.utf8.count == 10, parts.map(\.utf8.count) == [4, 2, 2],
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2d }),
            let year = Int64(parts[0]), let month = Int64(parts[1]), let dayOfMonth = Int64(parts[2]), year >= 1900,
            let day = CivilDate(year: year, month: month, day: dayOfMonth)
        else { return nil }
        (self.text, self.day) = (text, day)
    }

    /// Whether somebody born then may be a member: fourteen years old, and not from the future.
    func isOldEnough(at now: Timestamp) -> Bool {
        let today = CivilDate(daysSince1970: MoscowTime.day(of: now))
        let age = today.year - self.day.year
        let hadBirthday = (today.month, today.day) >= (self.day.month, self.day.day)
        return (hadBirthday ? age : age - 1) >= Self.ageMin
    }

    static let ageMin: Int64 = 14
}

/// The calendar of the programme. Moscow has kept UTC+3 all year since 2014.
enum MoscowTime {
    private static let offset: Int64 = 3 * 3600
    private static let dayLength: Int64 = 86_400

    /// Days from 1970-01-01 to the Moscow day of a moment.
    static func day(of moment: Timestamp) -> Int64 {
        let seconds = moment.secondsSince1970 + Self.offset
        return (seconds - ((seconds % Self.dayLength) + Self.dayLength) % Self.dayLength) / Self.dayLength
    }

    /// The midnight in Moscow that begins the day so many calendar days after a moment's.
    static func midnight(_ days: Int64, after moment: Timestamp) -> Timestamp {
        Timestamp(secondsSince1970: (Self.day(of: moment) + days) * Self.dayLength - Self.offset)
    }
}

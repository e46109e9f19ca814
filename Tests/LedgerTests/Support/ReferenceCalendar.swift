import Kernel

/// When points expire, by the calendar of Moscow: three hours ahead of UTC all year since October 2014.
enum ReferenceCalendar {
    static let moscow = Duration.seconds(3 * 3600)

    static func expiry(_ lotClass: String, creditedAt now: Timestamp) -> Timestamp {
        switch lotClass {
        case "grace": self.endOfDay(14, after: now)
        case "regular", "migration": self.startOfMonth(7, after: now)
        default: self.endOfDay(30, after: now)
        }
    }

    /// The first midnight of the month so many months after the one of a moment.
    static func startOfMonth(_ months: Int64, after now: Timestamp) -> Timestamp {
        let today = self.day(of: now)
        let month = today.year * 12 + today.month - 1 + months
        return CivilDate(year: month / 12, month: month % 12 + 1, day: 1).map(Self.midnight) ?? now
    }

    static func endOfDay(_ days: Int64, after now: Timestamp) -> Timestamp {
        self.midnight(CivilDate(daysSince1970: self.day(of: now).daysSince1970 + days + 1))
    }

    static func day(of now: Timestamp) -> CivilDate {
        CivilDate(daysSince1970: (now + self.moscow).secondsSince1970 / 86_400)
    }

    private static func midnight(_ day: CivilDate) -> Timestamp {
        Timestamp(secondsSince1970: day.daysSince1970 * 86_400) - self.moscow
    }
}

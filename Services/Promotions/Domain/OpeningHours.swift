import Kernel

/// When a shop is open: a week of hours, and days with hours of their own.
struct OpeningHours: Hashable, Sendable {
    /// Hours of a day of the week.
    struct Weekly: Hashable, Sendable, Codable {
        /// 1 is Monday.
        let weekday: Int
        /// Minutes since the shop's midnight.
        let opens: Int64
        /// Beyond 1440 when the shop closes after midnight; 1440 after `opens` 0 is around the clock.
        let closes: Int64

        var isSound: Bool {
            1...7 ~= self.weekday && 0...1439 ~= self.opens && self.opens < self.closes && self.closes <= 2880
        }
    }

    struct Exception: Hashable, Sendable {
        let day: CivilDate
        /// nil: closed that day.
        let hours: ClosedRange<Int64>?
    }

    var week: [Weekly]
    var exceptions: [Exception]
    let offsetMinutes: Int64

    /// Whether it is open at a moment; nil when nobody knows its hours.
    func isOpen(at moment: Timestamp) -> Bool? {
        guard !self.week.isEmpty || !self.exceptions.isEmpty else { return nil }
        let local = LocalTime(moment, offsetMinutes: self.offsetMinutes)
        // Hours that began yesterday may last until today.
        return self.spans(on: local.date).contains { $0.lowerBound <= local.minute && local.minute < $0.upperBound }
            || self.spans(on: local.date.adding(days: -1)).contains {
                $0.lowerBound <= local.minute + 1440 && local.minute + 1440 < $0.upperBound
            }
    }

    private func spans(on day: CivilDate) -> [ClosedRange<Int64>] {
        if let exception = self.exceptions.first(where: { $0.day == day }) { return exception.hours.map { [$0] } ?? [] }
        return self.week.filter { $0.weekday == day.weekday && $0.isSound }.map { $0.opens...$0.closes }
    }
}

/// A place on the globe as a member's device tells it. Never stored, never logged.
struct Place: Masked, Hashable, Sendable {
    let latitude: Double
    let longitude: Double

    init?(latitude: Double, longitude: Double) {
        guard -90...90 ~= latitude, -180...180 ~= longitude else { return nil }
        (self.latitude, self.longitude) = (latitude, longitude)
    }

    var description: String { "•••" }
}

public import Kernel

/// When a periodic job is due: a value that is checked where it is written. Only the database computes moments
/// (`queue.next_run`), because the time zones are there.
///
/// ```swift
/// try Schedule.every(.seconds(30))                                    // 00:00:00, 00:00:30, … UTC, without drift
/// try Schedule.daily(at: "03:30", in: "Europe/Moscow")
/// try Schedule.cron("*/15 9-17 * * MON-FRI", in: "Europe/Berlin")
/// ```
///
/// **When the clock is put forward or back.** A rule with hours of its own is due when the clock shows that time *or a
/// later one* for the first time of the day. A time that the gap of spring leaves out is due at the end of the gap
/// (`02:30` at `03:00`), once, however many times of the rule fall into it. A time that autumn shows twice is due once,
/// the first time. A rule for every hour (`*/15 * * * *`) follows real time: it is due whenever the clock shows the
/// minute, so in both passes of the doubled hour, and has nothing to make up for in spring. ``every(_:from:)`` counts
/// seconds and knows no zones: a day of it has 24 hours.
public struct Schedule: Sendable, Hashable, CustomStringConvertible {
    enum Rule: Sendable, Hashable {
        /// Seconds since 1970.
        case every(seconds: Int64, anchor: Int64)
        case calendar(CalendarRule)
    }

    let rule: Rule
    /// Whose clock is meant: a name of the IANA time zone database.
    public let timeZone: String
    /// As the source has it.
    public let description: String

    /// The longest period: a year.
    private static let longest: Int64 = 366 * 86_400

    /// Every so often, counted from the anchor, so that a late run does not shift those after it.
    /// - Parameters:
    ///   - period: whole seconds, from one to 366 days.
    ///   - anchor: one of the due moments, past or future; parts of a second are dropped. 1970-01-01T00:00:00Z unless
    ///     said otherwise, which makes the due moments round ones.
    /// - Throws: ``ScheduleError/period(_:)``.
    public static func every(
        _ period: Duration, from anchor: Timestamp = Timestamp(microseconds: 0)
    ) throws(ScheduleError) -> Schedule {
        let (seconds, fraction) = period.components
        guard fraction == 0, 1...Self.longest ~= seconds else { throw .period(period) }
        return Schedule(
            rule: .every(seconds: seconds, anchor: anchor.secondsSince1970), timeZone: "UTC",
            description: "every \(Self.text(seconds))")
    }

    /// Every day at a time of the clock on the wall.
    /// - Parameters:
    ///   - time: hours and minutes, `00:00` to `23:59`.
    ///   - timeZone: a name of the IANA time zone database.
    /// - Throws: ``ScheduleError``, `timeOfDay` or `timeZone`.
    public static func daily(at time: String, in timeZone: String) throws(ScheduleError) -> Schedule {
        let parts = time.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.utf8.count == 2 && $0.utf8.allSatisfy { 0x30...0x39 ~= $0 } }),
            let hour = Int(parts[0]), let minute = Int(parts[1]), 0...23 ~= hour, 0...59 ~= minute
        else { throw .timeOfDay(time) }
        return Schedule(
            rule: .calendar(CalendarRule(hour: hour, minute: minute)), timeZone: try Self.checked(timeZone),
            description: "daily at \(time)")
    }

    /// By a cron expression: minute, hour, day of the month, month, day of the week.
    ///
    /// Each field is `*`, a value, a range, or a list of those; `*` and ranges can have a step (`*/15`, `8-18/2`). Months
    /// and weekdays have names (`JAN`, `MON`), Sunday is 0 and 7. When day of the month and day of the week are both
    /// restricted, one of them is enough, as in crontab(5); a field is restricted when it leaves a value out.
    /// - Parameter timeZone: a name of the IANA time zone database.
    /// - Throws: ``ScheduleError``: which field is wrong, and why; `neverDue` for the 30th of February.
    public static func cron(_ expression: String, in timeZone: String) throws(ScheduleError) -> Schedule {
        Schedule(
            rule: .calendar(try CalendarRule(cron: expression)), timeZone: try Self.checked(timeZone),
            description: expression.split { $0 == " " || $0 == "\t" }.joined(separator: " "))
    }

    private static func checked(_ timeZone: String) throws(ScheduleError) -> String {
        let isName = timeZone.utf8.allSatisfy {
            0x30...0x39 ~= $0 || 0x41...0x5A ~= $0 || 0x61...0x7A ~= $0 || "/_+-".utf8.contains($0)
        }
        guard 1...64 ~= timeZone.utf8.count, isName, timeZone.utf8.first.map({ 0x41...0x5A ~= $0 }) == true else {
            throw .timeZone(timeZone)
        }
        return timeZone
    }

    /// In the largest unit that leaves nothing over.
    private static func text(_ seconds: Int64) -> String {
        for (name, unit) in [("d", Int64(86_400)), ("h", 3600), ("min", 60)] where seconds % unit == 0 {
            return "\(seconds / unit) \(name)"
        }
        return "\(seconds) s"
    }
}

extension Schedule: Encodable {
    private enum Key: String, CodingKey {
        case every, anchor, minutes, hours, days, months, weekdays
    }

    /// As `queue.next_run` reads it.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        switch self.rule {
        case .every(let seconds, let anchor):
            try container.encode(seconds, forKey: .every)
            try container.encode(anchor, forKey: .anchor)
        case .calendar(let rule):
            try container.encodeIfPresent(rule.minutes, forKey: .minutes)
            try container.encodeIfPresent(rule.hours, forKey: .hours)
            try container.encodeIfPresent(rule.days, forKey: .days)
            try container.encodeIfPresent(rule.months, forKey: .months)
            try container.encodeIfPresent(rule.weekdays, forKey: .weekdays)
        }
    }
}

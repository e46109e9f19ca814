import FoundationEssentials
import Kernel

/// The hours in which support works: a week of five days, changed by the Russian production calendar.
///
/// Moscow has one offset since 26 October 2014 (Federal Law 248-FZ of 21 July 2014), so no time zones are needed.
struct WorkingCalendar: Sendable {
    /// What a year's decree says.
    struct Year: Codable, Sendable {
        let year: Int64
        let source: String
        /// `MM-DD`: holidays and moved days off.
        let daysOff: [String]
        /// `MM-DD`: Saturdays that are worked on.
        let workingWeekends: [String]
        /// `MM-DD`: an hour shorter.
        let shortened: [String]
    }

    /// A year is not in the calendar, or the file is not what it should be.
    struct Unreadable: Error, CustomStringConvertible { let description: String }

    private enum Day { case off, short, weekend }

    /// Seconds that Moscow is ahead of UTC.
    private static let offset: Int64 = 3 * 3600
    /// From nine to eight, so eleven hours.
    static let opens: Int64 = 9 * 3600
    static let closes: Int64 = 20 * 3600

    private let exceptions: [Int64: Day]
    /// The years that decrees are known of; beyond them weekends are the only days off.
    let years: ClosedRange<Int64>

    /// Reads the data file.
    init(json: [UInt8]) throws {
        struct File: Codable { let years: [Year] }
        let file: File
        do { file = try JSONDecoder().decode(File.self, from: Data(json)) } catch {
            throw Unreadable(description: "the production calendar is not the JSON that it should be")
        }
        var exceptions: [Int64: Day] = [:]
        for year in file.years {
            for text in year.daysOff { exceptions[try Self.day(text, of: year)] = .off }
            for text in year.workingWeekends { exceptions[try Self.day(text, of: year)] = .weekend }
            for text in year.shortened { exceptions[try Self.day(text, of: year)] = .short }
        }
        guard let first = file.years.map(\.year).min(), let last = file.years.map(\.year).max() else {
            throw Unreadable(description: "the production calendar has no years")
        }
        (self.exceptions, self.years) = (exceptions, first...last)
    }

    private static func day(_ text: String, of year: Year) throws -> Int64 {
        let parts = text.split(separator: "-").compactMap { Int64($0) }
        guard parts.count == 2, let date = CivilDate(year: year.year, month: parts[0], day: parts[1]) else {
            throw Unreadable(description: "\(text) is no day of \(year.year)")
        }
        return date.daysSince1970
    }

    /// How long is worked on a day; nil when it is a day off. Seconds since Moscow's midnight.
    func hours(ofDay day: Int64) -> Range<Int64>? {
        // 1970-01-01 was a Thursday: 0 is Monday.
        let weekday = ((day + 3) % 7 + 7) % 7
        switch self.exceptions[day] {
        case .off: return nil
        case .short: return Self.opens..<(Self.closes - 3600)
        case .weekend: return Self.opens..<Self.closes
        case nil: return weekday < 5 ? Self.opens..<Self.closes : nil
        }
    }

    /// Working time between two moments; nothing when the second is not later.
    func worked(from start: Timestamp, to end: Timestamp) -> Duration {
        guard start < end else { return .zero }
        var sum: Int64 = 0
        let (from, to) = (Self.local(start), Self.local(end))
        for day in Self.day(of: from)...Self.day(of: to) {
            guard let span = self.span(ofDay: day) else { continue }
            sum += max(0, min(span.upperBound, to) - max(span.lowerBound, from))
        }
        return .microseconds(sum)
    }

    /// The moment at which so much working time has passed since `start`.
    func adding(_ time: Duration, to start: Timestamp) -> Timestamp {
        let (seconds, attoseconds) = time.components
        var rest = seconds * 1_000_000 + attoseconds / 1_000_000_000_000
        let from = Self.local(start)
        guard rest > 0 else { return start }
        // A target of some days ends within weeks; ten years bound a mistake.
        for day in Self.day(of: from)..<(Self.day(of: from) + 3660) {
            guard let span = self.span(ofDay: day) else { continue }
            let begin = max(span.lowerBound, from)
            let length = span.upperBound - begin
            guard length > 0 else { continue }
            if rest <= length { return Timestamp(microseconds: begin + rest - Self.offset * 1_000_000) }
            rest -= length
        }
        return start + .seconds(3660 * 86_400)
    }

    private static func local(_ moment: Timestamp) -> Int64 { moment.microseconds + Self.offset * 1_000_000 }

    private static func day(of local: Int64) -> Int64 {
        let day = local / 86_400_000_000
        return local % 86_400_000_000 < 0 ? day - 1 : day
    }

    private func span(ofDay day: Int64) -> Range<Int64>? {
        self.hours(ofDay: day).map { hours in
            let midnight = day * 86_400_000_000
            return (midnight + hours.lowerBound * 1_000_000)..<(midnight + hours.upperBound * 1_000_000)
        }
    }
}

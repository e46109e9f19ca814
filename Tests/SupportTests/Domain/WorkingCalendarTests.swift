import Kernel
import TestSupport
import Testing

@testable import Support

@Suite struct WorkingCalendarTests {
    private let calendar: WorkingCalendar

    init() throws { self.calendar = try SupportModule.calendar() }

    private func moment(_ text: String) throws -> Timestamp { try #require(Timestamp(text + "+03:00")) }

    /// The sums that the calendars of accountants print: 247 days, 1972 hours of a week of 40 hours, in each of the years.
    @Test(arguments: [2025, 2026, 2027] as [Int64])
    func `a year has as many working days and short days as its production calendar says`(year: Int64) throws {
        let first = try #require(CivilDate(year: year, month: 1, day: 1)).daysSince1970
        let next = try #require(CivilDate(year: year + 1, month: 1, day: 1)).daysSince1970
        let hours = (first..<next).compactMap { self.calendar.hours(ofDay: $0) }
        #expect(hours.count == 247)
        #expect(hours.filter { $0.upperBound == WorkingCalendar.closes - 3600 }.count == 4)
        #expect(self.calendar.years == 2025...2027)
    }

    @Test func `holidays, moved days off, working Saturdays and short days are as decreed`() throws {
        func hours(_ text: String) throws -> Int64? {
            let noon = try self.moment(text + "T12:00:00")
            return self.calendar.hours(ofDay: noon.secondsSince1970 / 86_400).map {
                ($0.upperBound - $0.lowerBound) / 3600
            }
        }
        for day in ["2025-05-02", "2025-05-08", "2025-11-03", "2025-12-31", "2026-01-09", "2026-03-09", "2026-05-11"] {
            #expect(try hours(day) == nil, "\(day)")
        }
        for day in ["2027-02-22", "2027-11-05", "2026-11-28", "2026-11-29", "2026-06-12"] {
            #expect(try hours(day) == nil, "\(day)")
        }
        for day in ["2025-11-01", "2027-02-20", "2026-04-30", "2026-11-03"] { #expect(try hours(day) == 10, "\(day)") }
        for day in ["2026-11-27", "2025-05-07", "2026-12-30"] { #expect(try hours(day) == 11, "\(day)") }
    }

    @Test func `time counts from nine to eight, and not over a weekend`() throws {
        let friday = try self.moment("2026-11-27T19:30:00")
        #expect(self.calendar.worked(from: friday, to: try self.moment("2026-11-30T09:30:00")) == .seconds(3600))
        #expect(self.calendar.adding(.seconds(3600), to: friday) == (try self.moment("2026-11-30T09:30:00")))
        #expect(self.calendar.adding(.seconds(1800), to: friday) == (try self.moment("2026-11-27T20:00:00")))
        #expect(self.calendar.worked(from: friday, to: friday) == .zero)
        #expect(
            self.calendar.worked(
                from: try self.moment("2026-11-28T10:00:00"), to: try self.moment("2026-11-29T23:00:00"))
                == .zero)
        // Over New Year: 30 December is worked on, 31 December to 10 January (a Sunday of 2027) is not.
        #expect(
            self.calendar.adding(.seconds(7200), to: try self.moment("2026-12-30T19:00:00"))
                == (try self.moment("2027-01-11T10:00:00")))
    }

    /// What is added is what is counted, wherever one starts.
    @Test func `adding and counting agree`() throws {
        var generator = SplitMix64(seed: 7)
        let start = try self.moment("2025-01-01T00:00:00")
        for _ in 0..<500 {
            let from = start + .seconds(Int64.random(in: 0..<(3 * 365 * 86_400), using: &generator))
            let time = Duration.seconds(Int64.random(in: 1..<(200 * 3600), using: &generator))
            let end = self.calendar.adding(time, to: from)
            #expect(self.calendar.worked(from: from, to: end) == time)
            #expect(self.calendar.worked(from: from, to: end - .seconds(1)) == time - .seconds(1))
        }
    }
}

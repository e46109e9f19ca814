import FoundationEssentials
import Kernel
import Postgres
import TestSupport
import Testing

@testable import JobQueue

/// `queue.next_run`, the one place that computes moments.
@Suite(.sharedDatabase(JobQueueMigrations.set), .capturedLogs)
struct NextRunTests {
    private func next(_ count: Int, _ schedule: Schedule, after text: String) async throws -> [String] {
        let json = RawJSON(try MessageCoder.text(schedule))
        var at = try moment(text)
        var found: [String] = []
        for _ in 0..<count {
            let row = try await TestDatabase.current.owner.one(
                "select queue.next_run(\(json), \(schedule.timeZone), \(at))")
            guard let next = try row.value(at: 0, as: Timestamp?.self) else { break }
            found.append(next.description)
            at = next
        }
        return found
    }

    // MARK: The clock is put forward and back

    @Test func `a time that spring leaves out is due once, at the end of the gap`() async throws {
        // Berlin, 2026-03-29: 02:00 becomes 03:00 at 01:00 UTC.
        #expect(
            try await self.next(3, .daily(at: "02:30", in: "Europe/Berlin"), after: "2026-03-28T01:00:00Z")
                == ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"])
        #expect(
            try await self.next(2, .cron("*/10 2 * * *", in: "Europe/Berlin"), after: "2026-03-28T01:50:00Z")
                == ["2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"])
        // The end of the gap is a due time itself: once all the same.
        #expect(
            try await self.next(2, .cron("30,0 2-3 * * *", in: "Europe/Berlin"), after: "2026-03-29T00:00:00Z")
                == ["2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"])
    }

    @Test func `a time that autumn shows twice is due once, the first time`() async throws {
        // Berlin, 2026-10-25: 03:00 becomes 02:00 at 01:00 UTC.
        #expect(
            try await self.next(3, .daily(at: "02:30", in: "Europe/Berlin"), after: "2026-10-24T00:30:00Z")
                == ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z", "2026-10-27T01:30:00Z"])
        // Asked in the middle of the second pass, when the clock shows less than it has shown before.
        #expect(
            try await self.next(1, .cron("45 2,3 * * *", in: "Europe/Berlin"), after: "2026-10-25T01:10:00Z")
                == ["2026-10-25T02:45:00Z"])
        #expect(
            try await self.next(1, .daily(at: "03:00", in: "Europe/Berlin"), after: "2026-10-25T00:59:59Z")
                == ["2026-10-25T02:00:00Z"])
    }

    @Test func `a rule for every hour follows real time`() async throws {
        let schedule = try Schedule.cron("*/30 * * * *", in: "Europe/Berlin")
        #expect(
            try await self.next(6, schedule, after: "2026-10-25T00:00:00Z")
                == [
                    "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:00:00Z",
                    "2026-10-25T02:30:00Z", "2026-10-25T03:00:00Z",
                ])
        #expect(
            try await self.next(2, .cron("45 * * * *", in: "Europe/Berlin"), after: "2026-03-29T00:00:00Z")
                == ["2026-03-29T00:45:00Z", "2026-03-29T01:45:00Z"])
        // A Sunday that has an hour more; the Monday after it is 25 hours away.
        #expect(
            try await self.next(26, .cron("0 * * * SUN", in: "Europe/Berlin"), after: "2026-10-24T21:00:00Z").last
                == "2026-10-31T23:00:00Z")
    }

    @Test func `a zone without summer time has the same time all year`() async throws {
        let schedule = try Schedule.daily(at: "03:30", in: "Europe/Moscow")
        for day in ["2026-03-29", "2026-07-01", "2026-10-25", "2026-12-31"] {
            #expect(try await self.next(1, schedule, after: "\(day)T00:00:00Z") == ["\(day)T00:30:00Z"])
        }
    }

    @Test func `a gap of a whole day, one of half an hour, and one at midnight`() async throws {
        // Apia had no 2011-12-30; Lord Howe goes from 02:00 to 02:30; Beirut from 00:00 to 01:00.
        #expect(
            try await self.next(3, .daily(at: "05:30", in: "Pacific/Apia"), after: "2011-12-29T00:00:00Z")
                == ["2011-12-29T15:30:00Z", "2011-12-30T10:00:00Z", "2011-12-30T15:30:00Z"])
        #expect(
            try await self.next(2, .daily(at: "02:10", in: "Australia/Lord_Howe"), after: "2026-10-03T00:00:00Z")
                == ["2026-10-03T15:30:00Z", "2026-10-04T15:10:00Z"])
        #expect(
            try await self.next(2, .daily(at: "00:30", in: "Asia/Beirut"), after: "2026-03-28T12:00:00Z")
                == ["2026-03-28T22:00:00Z", "2026-03-29T21:30:00Z"])
    }

    // MARK: The calendar

    @Test func `leap days, ends of months and of years`() async throws {
        #expect(
            try await self.next(3, .cron("0 12 29 FEB *", in: "UTC"), after: "2026-01-01T00:00:00Z")
                == ["2028-02-29T12:00:00Z", "2032-02-29T12:00:00Z", "2036-02-29T12:00:00Z"])
        #expect(
            try await self.next(1, .cron("0 * 29 2 *", in: "UTC"), after: "2096-03-01T00:00:00Z")
                == ["2104-02-29T00:00:00Z"], "2100 is no leap year")
        #expect(
            try await self.next(4, .cron("0 0 31 * *", in: "UTC"), after: "2026-01-31T00:00:00Z")
                == ["2026-03-31T00:00:00Z", "2026-05-31T00:00:00Z", "2026-07-31T00:00:00Z", "2026-08-31T00:00:00Z"])
        #expect(
            try await self.next(2, .cron("59 23 31 12 *", in: "Europe/Moscow"), after: "2026-12-31T20:58:00Z")
                == ["2026-12-31T20:59:00Z", "2027-12-31T20:59:00Z"])
    }

    @Test func `of day of the month and day of the week one is enough when both are named`() async throws {
        #expect(
            try await self.next(4, .cron("0 0 13 * FRI", in: "UTC"), after: "2026-11-01T00:00:00Z")
                == ["2026-11-06T00:00:00Z", "2026-11-13T00:00:00Z", "2026-11-20T00:00:00Z", "2026-11-27T00:00:00Z"])
        #expect(
            try await self.next(2, .cron("0 0 13 * FRI", in: "UTC"), after: "2026-12-11T00:00:00Z")
                == ["2026-12-13T00:00:00Z", "2026-12-18T00:00:00Z"])
    }

    @Test func `a period counts from its anchor, whether that is past or to come`() async throws {
        let past = try Schedule.every(.seconds(420), from: moment("2026-01-01T00:00:30Z"))
        #expect(
            try await self.next(2, past, after: "2026-01-01T00:07:30Z")
                == ["2026-01-01T00:14:30Z", "2026-01-01T00:21:30Z"])
        #expect(try await self.next(1, past, after: "2026-01-01T00:07:29.999999Z") == ["2026-01-01T00:07:30Z"])
        let future = try Schedule.every(.seconds(420), from: moment("2030-01-01T00:00:30Z"))
        #expect(
            try await self.next(2, future, after: "2030-01-01T00:00:29Z")
                == ["2030-01-01T00:00:30Z", "2030-01-01T00:07:30Z"])
        #expect(try await self.next(1, future, after: "2029-12-31T23:53:30Z") == ["2030-01-01T00:00:30Z"])
        #expect(try await self.next(1, future, after: "2029-12-31T23:53:29Z") == ["2029-12-31T23:53:30Z"])
    }

    // MARK: Against an oracle

    /// Random rules around changes of the clock, leap days and ends of years: every due minute is found, no other is, and
    /// they come in order. The oracle walks over real minutes with the clock of the zone and shares no code.
    @Test(.serialized, arguments: 1...4)
    func `no due minute is left out and none is made up`(seed: Int) async throws {
        var random = SplitMix64(seed: UInt64(seed))
        let owner = try TestDatabase.current.owner
        var due = 0
        for _ in 0..<4 {
            let sample = RandomRule(using: &random)
            let schedule = try Schedule.cron(sample.expression, in: sample.zone)
            let from = try moment("\(sample.day)T00:00:17Z") + .seconds(60 * Int64.random(in: 0..<2880, using: &random))
            let until = try moment("\(sample.day)T00:00:00Z") + .seconds(4 * 86_400)
            let found = try await self.walk(schedule, from, until, on: owner)
            let expected = try await sample.oracle(from, until, on: owner)
            #expect(found == expected, "\(sample.expression) in \(sample.zone) after \(from)")
            due += expected.count
        }
        #expect(due > 0)
    }

    private func walk(
        _ schedule: Schedule, _ from: Timestamp, _ until: Timestamp, on owner: Database
    ) async throws -> [Timestamp] {
        let json = RawJSON(try MessageCoder.text(schedule))
        return try await owner.query(
            """
            with recursive due(at) as (
                select queue.next_run(\(json), \(schedule.timeZone), \(from))
                union  -- a moment that came again would end the walk, and be missed at its end
                select queue.next_run(\(json), \(schedule.timeZone), at) from due where at <= \(until)
            )
            select at from due where at <= \(until)
            """
        ).map { try $0.value(at: 0) }
    }
}

/// A rule that was made up, and when it is due.
private struct RandomRule {
    let zone: String
    /// The walk begins in the days after it.
    let day: String
    private var fields: [[Int32]?]

    private static let places: [(zone: String, days: [String])] = [
        ("Europe/Berlin", ["2026-03-26", "2026-10-22", "2027-12-29", "2028-02-26"]),
        ("Europe/Moscow", ["2026-03-26", "2028-02-26"]), ("Australia/Lord_Howe", ["2026-04-02", "2026-10-01"]),
        ("Asia/Beirut", ["2026-03-26", "2026-10-22"]), ("America/Havana", ["2026-03-05", "2026-10-29"]),
        ("Pacific/Apia", ["2011-12-27"]), ("America/St_Johns", ["2010-03-11", "2010-11-04"]),
    ]

    init(using random: inout SplitMix64) {
        let place = Self.places[Int.random(in: 0..<Self.places.count, using: &random)]
        self.zone = place.zone
        self.day = place.days[Int.random(in: 0..<place.days.count, using: &random)]
        let ranges: [(ClosedRange<Int32>, restricted: Int)] = [
            (0...59, 85), (0...23, 50), (1...31, 30), (1...12, 15), (0...6, 30),
        ]
        self.fields = []
        for (range, chance) in ranges {
            guard Int.random(in: 0..<100, using: &random) < chance else {
                self.fields.append(nil)
                continue
            }
            let count = [1, 1, 2, 3, range.count / 2][Int.random(in: 0..<5, using: &random)]
            self.fields.append((0..<count).map { _ in Int32.random(in: range, using: &random) })
        }
        // The hours in which clocks are changed are the interesting ones.
        if let hours = self.fields[1] { self.fields[1] = hours + [Int32.random(in: 0...3, using: &random)] }
    }

    var expression: String {
        self.fields.map { field in field.map { $0.map(String.init).joined(separator: ",") } ?? "*" }
            .joined(separator: " ")
    }

    /// Every real minute, and what the clock on the wall has shown by then: a rule of every hour is due when the clock
    /// shows one of its minutes; another one when a minute is reached, or jumped over, for the first time.
    func oracle(_ from: Timestamp, _ until: Timestamp, on owner: Database) async throws -> [Timestamp] {
        let days: SQL =
            self.fields[2] != nil && self.fields[4] != nil
            ? "(\(fragment: self.matches(2, "day")) or \(fragment: self.matches(4, "dow")))"
            : "(\(fragment: self.matches(2, "day")) and \(fragment: self.matches(4, "dow")))"
        let first: SQL = self.fields[1] == nil ? "m.wall" : "m.reached + interval '1 minute'"
        return try await owner.query(
            """
            with minute as (
                select m as at, m at time zone \(self.zone) as wall,
                    max(m at time zone \(self.zone)) over (
                        order by m rows between unbounded preceding and 1 preceding) as reached
                from generate_series(
                    date_trunc('minute', \(from)) - interval '2 days', \(until), interval '1 minute') m
            )
            select m.at from minute m
            where m.at > \(from) and exists (
                select from generate_series(\(fragment: first), m.wall, interval '1 minute') w
                where \(fragment: self.matches(0, "minute")) and \(fragment: self.matches(1, "hour"))
                    and \(fragment: self.matches(3, "month")) and \(fragment: days))
            order by m.at
            """
        ).map { try $0.value(at: 0) }
    }

    private func matches(_ field: Int, _ part: String) -> SQL {
        let values = self.fields[field]
        return "(\(values) is null or date_part(\(part), w)::int = any (\(values)))"
    }
}

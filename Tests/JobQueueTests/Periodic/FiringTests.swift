import Kernel
import NIOConcurrencyHelpers
import Postgres
import TestSupport
import Testing

@testable import JobQueue

/// A due moment is neither lost nor fired twice, whoever looks and whoever dies.
@Suite(.database(JobQueueMigrations.set), .capturedLogs)
struct FiringTests {
    private static let tick: PeriodicName = "alpha.tick"

    private func everyMinute(_ catchUp: PeriodicJob.CatchUp = .one) throws -> PeriodicJob {
        PeriodicJob(Self.tick, try .every(.seconds(60)), catchUp: catchUp, send: Work(number: 7))
    }

    @Test func `a moment is fired when it has come, once, and the next one is in line`() async throws {
        let world = try await World.make()
        let alpha = world.process("alpha", try self.everyMinute())
        try await alpha.declare(at: moment("2026-03-01T12:00:10Z"))
        #expect(try await alpha.fire(at: moment("2026-03-01T12:00:59.999999Z")) == false)
        #expect(try await alpha.fire(at: moment("2026-03-01T12:01:00Z")))
        #expect(try await alpha.fire(at: moment("2026-03-01T12:01:59Z")) == false)
        #expect(try await alpha.fire(at: moment("2026-03-01T12:02:01Z")))
        #expect(try await world.moments() == ["2026-03-01T12:01:00Z", "2026-03-01T12:02:00Z"])
        #expect(try await world.nextMoment(of: Self.tick) == moment("2026-03-01T12:03:00Z"))
        let job = try await world.owner.one("select kind, version, args ->> 'number' from queue.job limit 1")
        let (kind, version, number) = try job.decode(String.self, Int16.self, String.self)
        #expect([kind, "\(version)", number] == ["alpha.work", "1", "7"])
        #expect(try await world.violations() == [])
    }

    @Test(
        arguments: [
            (.skip, ["2026-03-01T12:10:00Z"]), (.one, ["2026-03-01T12:10:00Z"]),
            (.all(atMost: 10), (1...10).map { "2026-03-01T12:\($0 < 10 ? "0" : "")\($0):00Z" }),
            (.all(atMost: 3), ["2026-03-01T12:08:00Z", "2026-03-01T12:09:00Z", "2026-03-01T12:10:00Z"]),
        ] as [(PeriodicJob.CatchUp, [String])])
    func `ten minutes without a process of the service`(catchUp: PeriodicJob.CatchUp, fired: [String]) async throws {
        let world = try await World.make()
        let alpha = world.process("alpha", try self.everyMinute(catchUp))
        try await alpha.declare(at: moment("2026-03-01T12:00:00Z"))
        // The schedule's own moment is among the ten: it has just come.
        try await alpha.fire(at: moment("2026-03-01T12:10:20Z"))
        #expect(try await world.moments() == fired)
        #expect(try await world.nextMoment(of: Self.tick) == moment("2026-03-01T12:11:00Z"))
        #expect(try await alpha.fire(at: moment("2026-03-01T12:10:59Z")) == false)
    }

    @Test(
        arguments: [(.skip, 0), (.one, 1), (.all(atMost: 5), 5), (.all(atMost: 60), 45)] as [(PeriodicJob.CatchUp, Int)]
    )
    func `45 nights without a process of the service`(catchUp: PeriodicJob.CatchUp, count: Int) async throws {
        let world = try await World.make()
        let nightly = PeriodicJob(
            Self.tick, try .daily(at: "03:30", in: "Europe/Moscow"), catchUp: catchUp, send: Work(number: 1))
        let alpha = world.process("alpha", nightly)
        try await alpha.declare(at: moment("2026-01-01T00:00:00Z"))
        try await alpha.fire(at: moment("2026-02-14T09:00:00Z"))
        let moments = try await world.moments()
        #expect(moments.count == count)
        #expect(moments == moments.sorted())
        #expect(moments.last == (count > 0 ? "2026-02-14T00:30:00Z" : nil))
        #expect(try await world.nextMoment(of: Self.tick) == moment("2026-02-15T00:30:00Z"))
    }

    @Test func `a moment that is given up after a minute is fired within it`() async throws {
        let world = try await World.make()
        let nightly = PeriodicJob(
            Self.tick, try .daily(at: "03:30", in: "Europe/Moscow"), catchUp: .skip, send: Work(number: 1))
        let alpha = world.process("alpha", nightly)
        try await alpha.declare(at: moment("2026-01-01T00:00:00Z"))
        #expect(try await alpha.fire(at: moment("2026-01-01T00:30:59Z")))
        #expect(try await alpha.fire(at: moment("2026-01-02T00:31:01Z")) == false)
        #expect(try await world.nextMoment(of: Self.tick) == moment("2026-01-03T00:30:00Z"))
    }

    @Test func `of two processes one fires, and the other does not wait for it`() async throws {
        let world = try await World.make()
        let job = try self.everyMinute()
        let (one, other) = (world.process("alpha", job), world.process("alpha", job))
        try await one.declare(at: moment("2026-03-01T12:00:00Z"))
        let now = try moment("2026-03-01T12:01:00Z")
        try await one.database.transaction { transaction in
            let isFirst = try await one.fire(at: now, on: transaction)
            // The first one has not committed: the second passes the row over.
            let isSecond = try await other.fire(at: now)
            #expect(isFirst && !isSecond)
        }
        #expect(try await other.fire(at: now) == false)
        #expect(try await world.moments() == ["2026-03-01T12:01:00Z"])
    }

    @Test func `eight processes race for thirty moments`() async throws {
        let world = try await World.make()
        let process = world.process("alpha", try self.everyMinute())
        let racers = world.database("alpha", pool: 8)
        let start = try moment("2026-03-01T12:00:00Z")
        try await process.declare(at: start)
        for round in 1...30 {
            let now = start + .seconds(60 * Int64(round))
            let fired = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 1...8 { group.addTask { try await process.fire(at: now, on: racers) } }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(fired == 1)
        }
        let moments = try await world.moments()
        #expect(moments.count == 30)
        #expect(Set(moments).count == 30)
        #expect(try await world.violations() == [])
        await racers.shutdown()
    }

    @Test func `a process that dies between sending and moving on has done nothing`() async throws {
        let world = try await World.make()
        let alpha = world.process("alpha", try self.everyMinute())
        try await alpha.declare(at: moment("2026-03-01T12:00:00Z"))
        let now = try moment("2026-03-01T12:01:00Z")
        await #expect(throws: DatabaseError.self) {
            try await alpha.database.transaction { transaction in
                let isFired = try await alpha.fire(at: now, on: transaction)
                #expect(isFired)
                try await transaction.execute("select pg_terminate_backend(pg_backend_pid())")
            }
        }
        #expect(try await world.moments() == [])
        #expect(try await alpha.fire(at: now))
        #expect(try await world.moments() == ["2026-03-01T12:01:00Z"])
    }

    @Test func `a zone that the server has lost pauses its job and no other`() async throws {
        let world = try await World.make()
        let lost: PeriodicName = "alpha.lost"
        let alpha = world.process(
            "alpha", PeriodicJob(lost, try .daily(at: "12:01", in: "Europe/London"), send: Work(number: 1)),
            try self.everyMinute())
        try await alpha.declare(at: moment("2026-03-01T12:00:00Z"))
        try await world.owner.execute(
            "update queue.periodic set time_zone = 'Europe/Atlantis' where name = \(lost.text)")
        #expect(try await alpha.fire(at: moment("2026-03-01T12:01:00Z")))
        #expect(try await world.moments() == ["2026-03-01T12:01:00Z"])
        let paused = try await QueueAdministration(world.owner).periodicJobs().filter { $0.pausedAt != nil }
        #expect(paused.map(\.name) == [lost])
        #expect(
            try await world.count(
                "select count(*) from queue.audit where periodic = \(lost.text) and reason like '%Atlantis'") == 1)
    }

    @Test func `a worker fires its jobs by itself, and the handler learns the moment`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let seen = Signal<Timestamp?>()
        let second = PeriodicJob(
            "alpha.second", try .every(.seconds(1)), catchUp: .all(atMost: 1000), send: Work(number: 1))
        let moments = try await alpha.running(
            handlers: [.transactional(Work.self) { _, job, _ in seen.send(job.scheduledFor) }], periodic: [second]
        ) {
            _ = try await alpha.send(Work(number: 2))
            return try await seen.next(5)
        }
        // What was sent by hand was meant for no moment.
        #expect(moments.filter { $0 == nil }.count == 1)
        let due = moments.compactMap { $0 }.sorted()
        #expect(due.count == 4)
        for (earlier, later) in zip(due, due.dropFirst()) { #expect(later - earlier == .seconds(1)) }
        #expect(due.allSatisfy { $0.microseconds % 1_000_000 == 0 })
    }

    @Test func `a batch learns the moments too`() async throws {
        let world = try await World.make()
        let station = world.bus("alpha")
        let alpha = world.process("alpha", try self.everyMinute(.all(atMost: 3)))
        try await alpha.declare(at: moment("2026-03-01T12:00:00Z"))
        try await alpha.fire(at: moment("2026-03-01T12:03:00Z"))
        let seen = Signal<[Timestamp?]>()
        let batch = Handler.batch(Work.self) { jobs, _ in seen.send(jobs.map(\.context.scheduledFor)) }
        try await station.running(handlers: [batch]) {
            let moments = try await seen.next().map { $0?.description }
            #expect(moments == ["2026-03-01T12:01:00Z", "2026-03-01T12:02:00Z", "2026-03-01T12:03:00Z"])
        }
    }

    @Test func `a job for another service reaches it`() async throws {
        let world = try await World.make()
        let (alpha, beta) = (world.bus("alpha"), world.bus("beta"))
        let done = Signal<Int>()
        let visit = PeriodicJob("beta.visit", try .every(.seconds(1)), send: Work(number: 5))
        try await alpha.running(handlers: [.transactional(Work.self) { work, _, _ in done.send(work.number) }]) {
            try await beta.running(periodic: [visit]) {
                let number = try await done.next()
                #expect(number == 5)
            }
        }
    }
}

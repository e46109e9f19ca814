import Kernel
import Postgres
import TestSupport
import Testing

@testable import JobQueue

/// Who may say what about which periodic job, and what an operator may do.
@Suite(.database(JobQueueMigrations.set), .capturedLogs)
struct DeclarationTests {
    private static let start = "2026-03-01T12:00:00Z"

    private func job(_ name: PeriodicName, every seconds: Int64 = 60, number: Int = 1) throws -> PeriodicJob {
        PeriodicJob(name, try .every(.seconds(seconds)), send: Work(number: number))
    }

    private func rows(of service: ServiceName, in world: World) async throws -> [String] {
        // With xmin: a row that was written again with the same text would show.
        try await world.owner.query(
            "select p.xmin::text || p::text from queue.periodic p where owner_service = \(service.text) order by name"
        ).map { try $0.value(at: 0) }
    }

    // MARK: Deploys

    @Test func `deploying one service leaves the jobs of another untouched`() async throws {
        let world = try await World.make()
        try await world.process("beta", self.job("beta.a"), self.job("beta.b")).declare(at: moment(Self.start))
        let before = try await self.rows(of: "beta", in: world)
        #expect(before.count == 2)

        let (old, new) = ("alpha.old", "alpha.new") as (PeriodicName, PeriodicName)
        try await world.bus("alpha").running(periodic: [self.job(old), self.job("alpha.kept")]) {
            try await eventually("alpha has declared") { try await self.rows(of: "alpha", in: world).count == 2 }
        }
        try await world.bus("alpha").running(periodic: [self.job("alpha.kept"), self.job(new)]) {
            try await eventually("alpha has declared anew") { try await self.rows(of: "alpha", in: world).count == 3 }
        }
        #expect(try await self.rows(of: "beta", in: world) == before)
        #expect(try await QueueAdministration(world.owner).periodicJobs().map(\.name).contains(old))
    }

    @Test func `what is the same keeps its next moment, and a new schedule begins anew`() async throws {
        let world = try await World.make()
        let name: PeriodicName = "alpha.tick"
        try await world.process("alpha", self.job(name)).declare(at: moment(Self.start))
        // Declared again after an outage: what came due meanwhile is still due.
        try await world.process("alpha", self.job(name)).declare(at: moment("2026-03-01T12:30:10Z"))
        #expect(try await world.nextMoment(of: name) == moment("2026-03-01T12:01:00Z"))
        try await world.process("alpha", self.job(name, number: 2)).declare(at: moment("2026-03-01T12:31:10Z"))
        #expect(try await world.nextMoment(of: name) == moment("2026-03-01T12:01:00Z"))
        #expect(try await world.count("select (args ->> 'number')::bigint from queue.periodic") == 2)
        try await world.process("alpha", self.job(name, every: 3600)).declare(at: moment("2026-03-01T12:32:10Z"))
        #expect(try await world.nextMoment(of: name) == moment("2026-03-01T13:00:00Z"))
    }

    @Test func `two versions side by side do not take turns: the younger process decides`() async throws {
        let world = try await World.make()
        let name: PeriodicName = "alpha.tick"
        let old = world.process("alpha", try self.job(name, number: 1), try self.job("alpha.gone"))
        let new = world.process("alpha", try self.job(name, number: 2))
        let number: SQL = "select (args ->> 'number')::bigint from queue.periodic where name = 'alpha.tick'"
        let oldStart = try await old.declare(at: moment(Self.start))
        let newStart = try await new.declare(at: moment("2026-03-01T12:10:00Z"))
        #expect(try await world.count(number) == 2)
        // Both say it again, as they do every hour; the old one does not change it back.
        try await old.declare(at: moment("2026-03-01T13:00:00Z"), started: oldStart)
        #expect(try await world.count(number) == 2)
        try await new.declare(at: moment("2026-03-01T13:10:00Z"), started: newStart)
        #expect(try await world.count(number) == 2)
        // Going back to the old version is a deploy like any other.
        try await old.declare(at: moment("2026-03-01T14:00:00Z"))
        #expect(try await world.count(number) == 1)
    }

    @Test func `a job that only the old version declares is fired by it alone`() async throws {
        let world = try await World.make()
        let old = world.process("alpha", try self.job("alpha.gone"))
        let new = world.process("alpha", try self.job("alpha.tick"))
        try await old.declare(at: moment(Self.start))
        try await new.declare(at: moment(Self.start))
        let now = try moment("2026-03-01T12:01:00Z")
        #expect(try await new.fire(at: now))
        #expect(try await world.moments().count == 1)
        #expect(try await new.fire(at: now) == false)
        #expect(try await old.fire(at: now))
    }

    @Test func `a job that nobody has declared for a day shows as not declared`() async throws {
        let world = try await World.make()
        let administration = QueueAdministration(world.owner)
        try await world.bus("alpha").running(periodic: [self.job("alpha.tick", every: 86_400)]) {
            try await eventually("it is declared") {
                try await administration.periodicJobs().map(\.isDeclared) == [true]
            }
        }
        try await world.owner.execute("update queue.periodic set declared_at = declared_at - interval '25 hours'")
        #expect(try await administration.periodicJobs().map(\.isDeclared) == [false])
        try await world.bus("alpha").running(periodic: [self.job("alpha.tick", every: 86_400)]) {
            try await eventually("it is declared") {
                try await administration.periodicJobs().map(\.isDeclared) == [true]
            }
        }
    }

    /// The second is no name, though PostgreSQL would read it: as three hours west of Greenwich.
    @Test(arguments: ["Europe/Atlantis", "Atlantis3"])
    func `a zone that there is not is an error in the log, stores nothing, and stops nothing else`(zone: String)
        async throws
    {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let done = Signal<Void>()
        let lost = PeriodicJob("alpha.lost", try .daily(at: "03:30", in: zone), send: Work(number: 1))
        try await alpha.running(
            handlers: [.transactional(Work.self) { _, _, _ in done.send() }], periodic: [self.job("alpha.tick"), lost]
        ) {
            try await eventually("it is logged") { CapturedLogs.text.contains("error Periodic jobs refused") }
            _ = try await alpha.send(Work(number: 1))
            try await done.next()
        }
        #expect(try await world.count("select count(*) from queue.periodic") == 0)
    }

    // MARK: Walls

    private func isRefused(_ body: () async throws -> Void) async throws -> Bool {
        do {
            try await body()
            return false
        } catch let error as DatabaseError {
            return error.code == .insufficientPrivilege
        }
    }

    @Test func `nobody touches the periodic jobs of another service`() async throws {
        let world = try await World.make()
        let now = try moment("2026-03-01T12:01:00Z")
        let alpha = world.process("alpha", try self.job("alpha.tick"))
        try await alpha.declare(at: moment(Self.start))
        let before = try await self.rows(of: "alpha", in: world)
        let beta = world.database("beta")
        let forged = PeriodicProcess(service: "beta", database: beta, jobs: alpha.jobs)
        let impostor = PeriodicProcess(service: "alpha", database: beta, jobs: alpha.jobs)
        #expect(try await self.isRefused { try await forged.declare(at: now) })
        #expect(try await self.isRefused { try await impostor.declare(at: now) })
        #expect(try await self.isRefused { try await impostor.fire(at: now) })
        // Naming another's job fires nothing.
        #expect(try await forged.fire(at: now) == false)
        let administration = QueueAdministration(beta)
        #expect(try await self.isRefused { try await administration.pausePeriodic("alpha.tick", reason: "") })
        #expect(try await self.isRefused { try await administration.resumePeriodic("alpha.tick", reason: "") })
        #expect(try await self.isRefused { try await administration.runPeriodicNow("alpha.tick", reason: "") })
        #expect(try await self.isRefused { _ = try await administration.nextMoments(of: "alpha.tick", count: 1) })
        #expect(try await administration.periodicJobs().isEmpty)
        #expect(try await self.rows(of: "alpha", in: world) == before)
    }

    @Test func `a queue that takes nothing from a service takes nothing from its periodic jobs`() async throws {
        let world = try await World.make()
        let beta = world.process("beta", try self.job("beta.visit"))
        try await beta.declare(at: moment(Self.start))
        try await world.owner.execute("update queue.queue set producers = '{alpha}'")
        #expect(try await beta.fire(at: moment("2026-03-01T12:01:00Z")) == false)
        #expect(try await world.moments().isEmpty)
        #expect(try await self.isRefused { try await beta.declare(at: moment("2026-03-01T12:02:00Z")) })
        try await world.owner.execute("update queue.queue set producers = '{beta}'")
        // Whoever sends is told whom to wake.
        let answer = try await beta.database.one(
            "select owners from queue.fire_periodic('beta', '{beta.visit}', 1, \(try moment("2026-03-01T12:01:00Z")))")
        #expect(try answer.value(at: 0, as: [String].self) == ["alpha"])
    }

    // MARK: Operators

    @Test func `a paused job is not fired, and what came due meanwhile is not made up for`() async throws {
        let world = try await World.make()
        let administration = QueueAdministration(world.owner)
        let name: PeriodicName = "alpha.tick"
        let alpha = world.process(
            "alpha", PeriodicJob(name, try .every(.seconds(60)), catchUp: .all(atMost: 100), send: Work(number: 1)))
        try await alpha.declare(at: moment(Self.start))
        try await administration.pausePeriodic(name, reason: "stocktaking")
        try await administration.pausePeriodic(name, reason: "again")
        #expect(try await alpha.fire(at: moment("2026-03-01T12:05:00Z")) == false)
        #expect(try await administration.periodicJobs().map { $0.pausedAt != nil } == [true])
        // A deploy does not end a pause.
        try await alpha.declare(at: moment("2026-03-01T12:06:00Z"))
        #expect(try await alpha.fire(at: moment("2026-03-01T12:07:00Z")) == false)

        try await administration.resumePeriodic(name, reason: "done")
        try await administration.resumePeriodic(name, reason: "again")
        let next = try #require(try await world.nextMoment(of: name))
        #expect(try await world.count("select count(*) from queue.periodic where next_at > clock_timestamp()") == 1)
        #expect(try await alpha.fire(at: next))
        #expect(try await world.moments() == [next.description])
        let reasons = try await world.owner.query("select action || ' ' || reason from queue.audit order by id").map {
            try $0.value(at: 0, as: String.self)
        }
        #expect(reasons == ["pause stocktaking", "resume done"])
    }

    @Test func `a job can be run now, paused or not, and its schedule does not move`() async throws {
        let world = try await World.make()
        let administration = QueueAdministration(world.owner)
        let station = world.bus("alpha")
        let name: PeriodicName = "alpha.tick"
        let done = Signal<Timestamp?>()
        try await station.running(
            handlers: [.transactional(Work.self) { _, job, _ in done.send(job.scheduledFor) }],
            periodic: [self.job(name, every: 86_400)]
        ) {
            try await eventually("it is declared") { try await administration.periodicJobs().count == 1 }
            let next = try await world.nextMoment(of: name)
            try await administration.pausePeriodic(name, reason: "test")
            let job = try await administration.runPeriodicNow(name, reason: "a member asked")
            #expect(try await done.next() != nil)
            try await eventually("its outcome shows") {
                let status = try await administration.periodicJobs()
                return status.map(\.lastJob) == [job] && status.map(\.lastOutcome) == ["completed"]
            }
            #expect(try await world.nextMoment(of: name) == next)
            #expect(
                try await world.count(
                    "select count(*) from queue.audit where action = 'run-now' and job_id = \(job.raw)") == 1)
        }
        #expect(try await world.violations() == [])
    }

    @Test func `the next moments can be looked at, and an unknown name is said to be one`() async throws {
        let world = try await World.make()
        let administration = QueueAdministration(world.owner)
        let nightly = PeriodicJob("alpha.night", try .daily(at: "03:30", in: "Europe/Moscow"), send: Work(number: 1))
        try await world.process("alpha", nightly).declare(at: moment(Self.start))
        let moments = try await administration.nextMoments(of: "alpha.night", count: 3)
        #expect(moments.count == 3)
        #expect(moments.allSatisfy { $0.description.hasSuffix("T00:30:00Z") })
        for (earlier, later) in zip(moments, moments.dropFirst()) { #expect(later - earlier == .seconds(86_400)) }
        await #expect(throws: QueueAdministrationError.unknownPeriodicJob("alpha.nothing")) {
            _ = try await administration.nextMoments(of: "alpha.nothing", count: 3)
        }
        await #expect(throws: QueueAdministrationError.unknownPeriodicJob("alpha.nothing")) {
            try await administration.pausePeriodic("alpha.nothing", reason: "")
        }
    }
}

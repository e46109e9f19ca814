import JobQueue
import Kernel
import Postgres
import TestSupport
import Testing

/// Why a job is not running: every reason, each found where it holds and nowhere else.
@Suite(.database(JobQueueMigrations.set), .capturedLogs)
struct WhyTests {
    private func why(_ world: World, _ job: JobID) async throws -> [WaitReason.Code] {
        try await QueueAdministration(world.owner).reasons(whyNot: job).map(\.code)
    }

    /// A process of alpha that has declared its queues, as these policies say.
    private func declare(_ world: World, _ policies: String) async throws -> Int32 {
        try await world.owner.execute("select queue.declare('alpha', \(RawJSON(policies)))")
        return try await world.owner.one("select queue.register('alpha', 'h', 1)").value(at: 0)
    }

    private func look(_ world: World, _ worker: Int32, _ queue: QueueName, _ limit: Int32) async throws {
        try await world.owner.execute(
            """
            select queue.look(
                \(worker), array(select id from queue.queue where name = \(queue)), array[\(limit)], array[false])
            """)
    }

    @Test func `nobody is there who could run it`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let job = try await alpha.send(Work(number: 1))
        #expect(try await self.why(world, job) == [.serviceDown])
        // A process of the service that does not know the queue.
        try await world.owner.execute("select queue.register('alpha', 'h', 1)")
        #expect(try await self.why(world, job) == [.notSubscribed])
        _ = try await self.declare(world, #"[{"name": "alpha.work"}]"#)
        #expect(try await self.why(world, job) == [])
    }

    @Test func `its queue is paused`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        _ = try await self.declare(world, #"[{"name": "alpha.work"}]"#)
        let job = try await alpha.send(Work(number: 1))
        let administration = QueueAdministration(world.owner)
        try await administration.pause(Work.queue, reason: "test")
        #expect(try await self.why(world, job) == [.paused])
        try await administration.resume(Work.queue, reason: "test")
        #expect(try await self.why(world, job) == [])
    }

    @Test func `it is not due, or not due again`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let worker = try await self.declare(
            world, #"[{"name": "alpha.work", "backoff_base_ms": 600000, "backoff_jitter": 0}]"#)
        let later = try await alpha.send(Work(number: 1), .delay(.seconds(600)))
        let reason = try #require(try await QueueAdministration(world.owner).reasons(whyNot: later).first)
        #expect(reason.code == .notDue)
        #expect(try #require(reason.until) > SystemClock().now + .seconds(300))
        let failing = try await alpha.send(Work(number: 2))
        try await self.look(world, worker, Work.queue, 1)
        #expect(try await self.why(world, failing) == [])
        try await world.owner.execute(
            "select queue.fail(\(worker), \(failing.raw), 1::smallint, '{\"code\": \"test\"}')")
        #expect(try await self.why(world, failing) == [.retry])
    }

    @Test func `it has arrived, is blocked by another, or halted`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let worker = try await self.declare(
            world, #"[{"name": "alpha.steps", "key_limit": 1, "attempts_max": 1, "on_dead": "block"}]"#)
        let jobs = try await alpha.send(contentsOf: (1...3).map { AccountStep(account: "a", number: $0) })
        #expect(try await self.why(world, jobs[1]) == [.arriving])
        try await self.look(world, worker, AccountStep.queue, 5)
        let reason = try #require(try await QueueAdministration(world.owner).reasons(whyNot: jobs[2]).first)
        #expect(reason.code == .keyBlocked)
        #expect(reason.job == jobs[0])
        #expect(reason.place == "running")
        #expect(reason.count == 1)
        try await world.owner.execute(
            "select queue.fail(\(worker), \(jobs[0].raw), 1::smallint, '{\"code\": \"test\"}')")
        #expect(try await self.why(world, jobs[0]) == [.halted])
        let after = try #require(try await QueueAdministration(world.owner).reasons(whyNot: jobs[1]).first)
        #expect(after.place == "dead")
    }

    @Test func `so many run as the queue allows, or others come first`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let worker = try await self.declare(world, #"[{"name": "alpha.work", "running_max": 2}]"#)
        let jobs = try await alpha.send(contentsOf: (1...5).map { Work(number: $0) })
        #expect(try await self.why(world, jobs[4]) == [.behind])
        try await self.look(world, worker, Work.queue, 5)
        let reasons = try await QueueAdministration(world.owner).reasons(whyNot: jobs[4])
        #expect(reasons.map(\.code) == [.limitFull, .behind])
        #expect(reasons.first?.job == jobs[0])
        #expect(reasons.map(\.count) == [2, 2])
        #expect(try await self.why(world, jobs[0]) == [])
    }
}

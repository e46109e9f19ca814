import JobQueue
import Kernel
import NIOConcurrencyHelpers
import Postgres
import TestSupport
import Testing

/// Cancelling, deadlines, results and progress.
@Suite(.database(JobQueueMigrations.set), .capturedLogs)
struct CancelTests {
    private struct Sum: Codable, Sendable, Equatable { var value: Int }

    @Test func `a job that waits is cancelled wherever it waits`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        try await world.owner.execute(
            """
            select queue.declare('alpha', '[{"name": "alpha.steps", "key_limit": 1}]')
            """)
        let ready = try await alpha.send(Work(number: 1))
        let later = try await alpha.send(Work(number: 2), .delay(.seconds(3600)))
        let steps = try await alpha.send(contentsOf: (1...4).map { AccountStep(account: "a", number: $0) })
        #expect(try await alpha.bus.cancel(steps[3], reason: "arrived") == .cancelled)
        try await world.owner.execute("select queue.admit(id, 10) from queue.queue where name = \(AccountStep.queue)")
        #expect(try await alpha.bus.cancel(steps[1], reason: "blocked") == .cancelled)
        // The head of its key: the next one moves up.
        #expect(try await alpha.bus.cancel(steps[0], reason: "ready, with a place") == .cancelled)
        #expect(try await world.count("select id from queue.ready where key = 'a'") == Int(steps[2].raw))
        for job in [ready, later] { #expect(try await alpha.bus.cancel(job, reason: "test") == .cancelled) }
        #expect(try await alpha.bus.cancel(ready, reason: "again") == .outOfReach)
        guard case .cancelled(let code) = try await alpha.bus.outcome(of: ready, as: Sum.self) else {
            return #expect(Bool(false), "not cancelled")
        }
        #expect(code == "cancelled")
        #expect(try await world.violations() == [])
    }

    @Test func `a handler that runs is told to stop, and its effects are undone`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let started = Signal<JobID>()
        let ended = NIOLockedValueBox(false)
        try await alpha.running(
            handlers: [
                .transactional(Work.self) { _, job, transaction in
                    try await note(job, in: transaction)
                    started.send(job.id)
                    defer { ended.withLockedValue { $0 = true } }
                    try await ContinuousClock().sleep(for: .seconds(600))
                }
            ]
        ) {
            _ = try await alpha.send(Work(number: 1))
            let job = try await started.next()
            #expect(try await alpha.bus.cancel(job, reason: "test") == .asked)
            try await eventually("the job has ended") { try await world.isEmpty() }
            #expect(ended.withLockedValue { $0 })
            #expect(try await world.count("select state::bigint from queue.outcome where id = \(job.raw)") == 5)
        }
        #expect(try await world.effects() == 0)
        #expect(try await world.count("select count(*) from queue.cancellation") == 0)
        #expect(try await world.violations() == [])
    }

    @Test func `a handler that does not listen loses its job, and the fence keeps its effects out`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let (started, goOn) = (Signal<JobID>(), Signal<Void>())
        try await alpha.running(
            handlers: [
                .transactional(Work.self) { _, job, transaction in
                    try await note(job, in: transaction)
                    started.send(job.id)
                    // Deaf to the cancellation of its task.
                    try await Task { try await goOn.next() }.value
                }
            ]
        ) {
            _ = try await alpha.send(Work(number: 1))
            let job = try await started.next()
            #expect(try await alpha.bus.cancel(job, reason: "test") == .asked)
            try await world.owner.execute("update queue.cancellation set at = at - interval '1 minute'")
            try await eventually("the job was taken away") { try await world.isEmpty() }
            goOn.send()
        }
        #expect(try await world.effects() == 0)
        #expect(try await world.count("select count(*) from queue.outcome where state = 5") == 1)
        #expect(try await world.violations() == [])
    }

    @Test(arguments: [false, true])
    func `a job whose deadline has passed is not begun`(isBatched: Bool) async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let past = SystemClock().now + .seconds(-1)
        let handler: Handler =
            isBatched
            ? .batch(Work.self) { jobs, transaction in
                for job in jobs { try await note(job.context, in: transaction) }
            } : .transactional(Work.self) { _, job, transaction in try await note(job, in: transaction) }
        let late = try await alpha.send(Work(number: 1), SendOptions(deadline: past))
        _ = try await alpha.send(Work(number: 2), SendOptions(deadline: past + .seconds(3600)))
        try await alpha.running(handlers: [handler]) {
            try await eventually("both have ended") { try await world.isDone(effects: 1) }
        }
        let code = try await world.owner.one("select error ->> 'code' from queue.outcome where id = \(late.raw)")
        #expect(try code.value(at: 0, as: String.self) == "deadline-exceeded")
        #expect(try await world.violations() == [])
    }

    @Test func `what a handler keeps is there for who sent the job, once it has committed`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        try await alpha.running(
            queues: [QueueDeclaration(Work.queue, backoff: Backoff(base: .milliseconds(5), jitter: 0))],
            handlers: [
                .transactional(Work.self) { work, job, _ in
                    try job.keep(Sum(value: work.number * 10 + job.attempt))
                    if job.attempt == 1 { throw Boom() }
                }
            ]
        ) {
            let job = try await alpha.send(Work(number: 4))
            try await eventually("the job has ended") { try await world.isEmpty() }
            guard case .completed(let sum) = try await alpha.bus.outcome(of: job, as: Sum.self) else {
                return #expect(Bool(false), "not completed")
            }
            #expect(sum == Sum(value: 42))
        }
    }

    @Test func `a long job says how far it is, and gets more time`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let (half, goOn) = (Signal<JobID>(), Signal<Void>())
        try await alpha.running(
            queues: [QueueDeclaration(Work.queue, lease: .seconds(2))],
            handlers: [
                .leased(Work.self) { _, job in
                    try await job.extend(by: .seconds(60))
                    await job.report(JobProgress(done: 1, of: 2, note: "half way"))
                    await job.report(JobProgress(done: 2, of: 2))  // within the same second: dropped
                    half.send(job.id)
                    try await goOn.next()
                }
            ]
        ) {
            _ = try await alpha.send(Work(number: 1))
            let job = try await half.next()
            let seen = try await QueueAdministration(world.owner).progress(of: job)
            #expect(seen == JobProgress(done: 1, of: 2, note: "half way"))
            let left = try await world.count(
                "select extract(epoch from deadline - clock_timestamp())::bigint from queue.lease")
            #expect(left > 30)
            goOn.send()
            try await eventually("the job has ended") { try await world.isEmpty() }
        }
        #expect(try await world.count("select count(*) from queue.outcome where state = 2 and attempt = 1") == 1)
    }

    @Test func `completions without effects are written down together`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let done = NIOLockedValueBox(0)
        try await alpha.running(
            queues: [QueueDeclaration(Work.queue, slots: 50)],
            handlers: [.leased(Work.self, completion: .batched) { _, _ in done.withLockedValue { $0 += 1 } }]
        ) {
            _ = try await alpha.send(contentsOf: (1...500).map { Work(number: $0) })
            try await eventually("all have ended") { try await world.isEmpty() }
        }
        #expect(done.withLockedValue { $0 } == 500)
        // Many rows of one transaction: far fewer transactions than jobs.
        let transactions = try await world.count("select count(distinct xmin::text) from queue.outcome where state = 2")
        #expect(transactions < 250)
        #expect(try await world.violations() == [])
    }
}

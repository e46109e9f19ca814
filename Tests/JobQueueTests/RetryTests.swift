import JobQueue
import Kernel
import NIOConcurrencyHelpers
import Postgres
import TestSupport
import Testing

@Suite(.database(JobQueueMigrations.set), .capturedLogs)
struct RetryTests {
    private func declaration(attempts: Int) -> QueueDeclaration {
        QueueDeclaration(Work.queue, attemptsMax: attempts, backoff: Backoff(base: .milliseconds(5), jitter: 0))
    }

    @Test func `a job that always fails is dead after its last attempt, and a redrive gives it all of them again`()
        async throws
    {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let isHealed = NIOLockedValueBox(false)
        let runs = NIOLockedValueBox(0)
        let administration = QueueAdministration(world.owner)
        try await alpha.running(
            queues: [self.declaration(attempts: 3)],
            handlers: [
                .transactional(Work.self) { _, job, transaction in
                    runs.withLockedValue { $0 += 1 }
                    guard isHealed.withLockedValue({ $0 }) else { throw Boom() }
                    try await note(job, in: transaction)
                }
            ]
        ) {
            let id = try await alpha.send(Work(number: 1))
            try await eventually("the job is dead") { try await administration.dead(in: Work.queue).count == 1 }
            #expect(runs.withLockedValue { $0 } == 3)
            let dead = try #require(try await administration.dead(in: Work.queue).first)
            #expect(dead.id == id)
            #expect(dead.attempts == 3)
            #expect(dead.code == "handler-failed")
            #expect(try await world.violations() == [])

            #expect(try await administration.redrive([id], in: Work.queue, reason: "still broken") == 1)
            #expect(try await administration.redrive([id], in: Work.queue, reason: "twice") == 0)
            try await eventually("it is dead again") { try await administration.dead(in: Work.queue).count == 1 }
            #expect(runs.withLockedValue { $0 } == 6)

            isHealed.withLockedValue { $0 = true }
            #expect(try await administration.redriveAll(in: Work.queue, reason: "healed") == 1)
            try await eventually("it has run") { try await world.isDone(effects: 1) }
        }
        #expect(try await administration.dead(in: Work.queue).isEmpty)
        #expect(try await world.count("select count(*) from queue.audit where action = 'redrive'") == 2)
        #expect(try await world.violations() == [])
    }

    @Test func `a permanent failure is dead at once, with its code`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let administration = QueueAdministration(world.owner)
        try await alpha.running(
            queues: [self.declaration(attempts: 9)],
            handlers: [.transactional(Work.self) { _, _, _ in throw JobFailure.permanent("no-such-card") }]
        ) {
            _ = try await alpha.send(Work(number: 1))
            try await eventually("the job is dead") { try await administration.dead(in: Work.queue).count == 1 }
        }
        let dead = try #require(try await administration.dead(in: Work.queue).first)
        #expect(dead.code == "no-such-card")
        #expect(dead.attempts == 1)
    }

    @Test func `a message that cannot be read is dead at once, and nothing of it is written anywhere`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let administration = QueueAdministration(world.owner)
        try await alpha.running(
            queues: [self.declaration(attempts: 9)],
            handlers: [.transactional(Work.self) { _, _, _ in }]
        ) {
            try await eventually("the queue is declared") { try await administration.stats(of: Work.queue) != nil }
            try await world.owner.execute(
                """
                select queue.send(id, 'alpha.work', 1::smallint, '{"number": "+79001234567"}')
                from queue.queue where name = 'alpha.work'
                """)
            try await eventually("the job is dead") { try await administration.dead(in: Work.queue).count == 1 }
        }
        #expect(try await administration.dead(in: Work.queue).first?.code == "unreadable-message")
        #expect(try await world.count("select count(*) from queue.outcome where error::text like '%7900%'") == 0)
        #expect(!CapturedLogs.text.contains("7900"))
    }

    @Test func `a handler says itself when it wants to be tried again`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        try await alpha.running(
            handlers: [
                .transactional(Work.self) { _, _, _ in throw JobFailure.retry(after: .seconds(3600), "closed") }
            ]
        ) {
            _ = try await alpha.send(Work(number: 1))
            try await eventually("it is put off") {
                try await world.count(
                    "select count(*) from queue.deferred where run_at > clock_timestamp() + interval '50 minutes'") == 1
            }
        }
        #expect(try await world.violations() == [])
    }

    @Test func `backoff grows by its factor up to its cap and is spread by its jitter`() async throws {
        let world = try await World.make()
        try await world.owner.execute(
            """
            insert into queue.queue (name, owner_service, backoff_base_ms, backoff_factor, backoff_cap_ms, backoff_jitter)
            values ('alpha.b', 'alpha', 100, 2, 1000, 0.5)
            """)
        func delay(_ attempt: Int32, _ random: Swift.Double) async throws -> Int64 {
            try await world.owner.one("select queue.backoff_ms(1::smallint, \(attempt), \(random))").value(at: 0)
        }
        #expect(try await delay(1, 0.5) == 100)
        #expect(try await delay(2, 0.5) == 200)
        #expect(try await delay(4, 0.5) == 800)
        #expect(try await delay(5, 0.5) == 1000)
        #expect(try await delay(30_000, 0.5) == 1000)
        #expect(try await delay(1, 0) == 50)
        #expect(try await delay(1, 0.999_999) == 150)
    }

    @Test func `a delayed job runs when its time has come and not before`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let done = Signal<Duration>()
        try await alpha.running(
            handlers: [
                .transactional(Work.self) { _, job, transaction in
                    let age = try await transaction.one(
                        "select clock_timestamp() - queue.id_time(\(job.id.raw))"
                    ).value(at: 0, as: Duration.self)
                    done.send(age)
                }
            ]
        ) {
            _ = try await alpha.send(Work(number: 1), .delay(.milliseconds(300)))
            let age = try await done.next()
            #expect(age >= .milliseconds(299))
        }
        #expect(try await world.violations() == [])
    }

    @Test func `urgent jobs run before the others`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        for (number, priority) in [(1, .background), (2, .normal), (3, .urgent)] as [(Int, SendOptions.Priority)] {
            _ = try await alpha.send(Work(number: number), SendOptions(priority: priority))
        }
        let order = Signal<Int>()
        try await alpha.running(
            queues: [QueueDeclaration(Work.queue, slots: 1)],
            handlers: [.transactional(Work.self) { work, _, _ in order.send(work.number) }]
        ) {
            let seen = try await order.next(3)
            #expect(seen == [3, 2, 1])
        }
    }

    @Test func `a kind that this process does not know waits, and does not fail`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        try await alpha.running(handlers: [.transactional(Work.self) { _, _, _ in }]) {
            try await eventually("the queue is declared") {
                try await world.count("select count(*) from queue.queue where declared_at is not null") == 1
            }
            for (kind, version) in [("alpha.later", 1), ("alpha.work", 2)] as [(String, Int16)] {
                try await world.owner.execute("select queue.send(1::smallint, \(kind), \(version), '{\"number\": 1}')")
            }
            try await eventually("both are put off without an attempt") {
                try await world.count("select count(*) from queue.deferred where attempt = 0") == 2
            }
        }
        #expect(try await world.count("select count(*) from queue.outcome") == 0)
        #expect(try await world.violations() == [])
    }
}

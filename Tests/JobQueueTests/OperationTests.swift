import JobQueue
import Kernel
import NIOConcurrencyHelpers
import Postgres
import TestSupport
import Testing

@Suite(.database(JobQueueMigrations.set), .capturedLogs)
struct OperationTests {
    @Test func `a paused queue is not touched until it is resumed, and then at once`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let administration = QueueAdministration(world.owner)
        let done = Signal<Int>()
        try await alpha.running(handlers: [.transactional(Work.self) { work, _, _ in done.send(work.number) }]) {
            _ = try await alpha.send(Work(number: 1))
            #expect(try await done.next() == 1)
            try await administration.pause(Work.queue, reason: "partner is down")
            _ = try await alpha.send(Work(number: 2))
            try await eventually("the worker sleeps") {
                try await world.count("select count(*) from queue.sleeper") == 1
            }
            #expect(try await administration.stats(of: Work.queue)?.ready == 1)
            #expect(try await administration.stats(of: Work.queue)?.pausedAt != nil)
            try await administration.resume(Work.queue, reason: "partner is back")
            #expect(try await done.next() == 2)
        }
        #expect(try await world.count("select count(*) from queue.audit where reason like 'partner%'") == 2)
        #expect(try await world.violations() == [])
    }

    @Test func `a graceful stop lets what runs end, and gives the rest back without counting an attempt`() async throws
    {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let (begun, mayEnd) = (Signal<Void>(), Signal<Void>())
        try await alpha.running(
            queues: [QueueDeclaration(Work.queue, slots: 1)],
            handlers: [
                .transactional(Work.self) { _, job, transaction in
                    begun.send()
                    try await mayEnd.next()
                    try await note(job, in: transaction)
                }
            ]
        ) {
            _ = try await alpha.send(contentsOf: (1...4).map { Work(number: $0) })
            try await begun.next()
            try await eventually("the others are claimed, too") {
                try await world.count("select count(*) from queue.lease") == 4
            }
            mayEnd.send()
            try await begun.next()
            // The body ends here, and with it the worker is asked to stop, while its second job runs.
            mayEnd.send()
        }
        let effects = try await world.effects()
        #expect(effects >= 2)
        #expect(try await world.count("select count(*) from queue.lease") == 0)
        #expect(try await world.count("select count(*) from queue.ready where attempt = 0") == 4 - effects)
        #expect(try await world.count("select count(*) from queue.worker") == 0)
        #expect(try await world.violations() == [])
    }

    @Test func `stats and trails tell where jobs are`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let administration = QueueAdministration(world.owner)
        let id = try await alpha.send(Work(number: 1))
        _ = try await alpha.send(Work(number: 2), .delay(.seconds(3600)))
        let stats = try #require(try await administration.stats(of: Work.queue))
        #expect(stats.ready == 1)
        #expect(stats.deferred == 1)
        #expect(stats.owner == "alpha")
        #expect(try await administration.trail(of: id).map(\.place) == ["ready"])
        #expect(try await administration.trail(of: JobID(1)).isEmpty)
        await #expect(throws: QueueAdministrationError.unknownQueue("alpha.nothing")) {
            try await administration.pause("alpha.nothing", reason: "-")
        }
    }

    @Test func `jobs and outcomes lie in the partition of their day, and days are made ahead`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        _ = try await alpha.send(Work(number: 1))
        #expect(try await world.count("select count(*) from queue.job_rest") == 0)
        // The database may have been made yesterday.
        _ = try await world.count("select queue.prepare_days(7)::bigint")
        let days: SQL = "select count(*) from pg_inherits where inhparent = 'queue.job'::regclass"
        let before = try await world.count(days)
        #expect(before >= 9)
        #expect(try await world.count("select queue.prepare_days(9)::bigint") == 4)
        #expect(try await world.count("select queue.prepare_days(9)::bigint") == 0)
        #expect(try await world.count(days) == before + 2)
    }

    @Test func `a declaration changes only what it says, and only for its own service`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        for attempts in [5, 6] {
            try await alpha.running(queues: [QueueDeclaration(Work.queue, attemptsMax: attempts)]) {
                try await eventually("it is declared") {
                    try await world.count("select count(*) from queue.queue where attempts_max = \(Int16(attempts))")
                        == 1
                }
            }
        }
        let foreign = world.database("beta")
        await #expect(throws: DatabaseError.self) {
            try await foreign.execute(
                "select queue.declare('beta', '[{\"name\": \"alpha.work\", \"attempts_max\": 1}]')")
        }
        await #expect(throws: DatabaseError.self) {
            try await foreign.execute("select queue.declare('alpha', '[]')")
        }
        #expect(try await world.count("select attempts_max::bigint from queue.queue where name = 'alpha.work'") == 6)
    }
}

import JobQueue
import Kernel
import NIOConcurrencyHelpers
import Postgres
import TestSupport
import Testing

@Suite(.database(JobQueueMigrations.set), .capturedLogs)
struct BatchTests {
    static let quick = QueueDeclaration(
        Work.queue, attemptsMax: 3, backoff: Backoff(base: .milliseconds(5), jitter: 0), slots: 2)

    @Test func `a bad job fails alone: the others of its batch are done`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let administration = QueueAdministration(world.owner)
        let batches = NIOLockedValueBox<[Int]>([])
        _ = try await alpha.send(contentsOf: (1...50).map { Work(number: $0) })
        try await alpha.running(
            queues: [Self.quick],
            handlers: [
                .batch(Work.self) { jobs, transaction in
                    batches.withLockedValue { $0.append(jobs.count) }
                    for job in jobs {
                        try await note(job.context, in: transaction)
                        if job.message.number == 13 { throw Boom() }
                    }
                }
            ]
        ) {
            try await eventually("all have ended") { try await world.isEmpty() }
        }
        #expect(try await world.effects() == 49)
        #expect(try await administration.dead(in: Work.queue).map(\.attempts) == [3])
        // The whole batch once, then everybody alone, the bad one three times.
        #expect(batches.withLockedValue { $0 }.first == 50)
        #expect(batches.withLockedValue { $0.dropFirst() }.allSatisfy { $0 == 1 })
        #expect(batches.withLockedValue { $0.count } == 1 + 49 + 3)
        #expect(try await world.violations() == [])
    }

    @Test func `a queue that gathers takes the first job at once, and together what comes after it`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let batches = Signal<Int>()
        try await alpha.running(
            queues: [QueueDeclaration(Work.queue, gather: .seconds(3))],
            handlers: [
                .batch(Work.self) { jobs, transaction in
                    for job in jobs { try await note(job.context, in: transaction) }
                    batches.send(jobs.count)
                }
            ]
        ) {
            _ = try await alpha.send(Work(number: 0))
            #expect(try await batches.next() == 1)
            for number in 1...5 { _ = try await alpha.send(Work(number: number)) }
            #expect(try await batches.next() == 5)
            try await eventually("all have ended") { try await world.isEmpty() }
        }
        #expect(try await world.effects() == 6)
        #expect(try await world.violations() == [])
    }

    @Test func `an unreadable message in a batch is dead, the others are done`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let administration = QueueAdministration(world.owner)
        _ = try await alpha.send(contentsOf: [Work(number: 1), Work(number: 2)])
        try await world.owner.execute("select queue.send(1::smallint, 'alpha.work', 1::smallint, '{\"number\": []}')")
        try await alpha.running(
            queues: [Self.quick],
            handlers: [
                .batch(Work.self) { jobs, transaction in
                    for job in jobs { try await note(job.context, in: transaction) }
                }
            ]
        ) {
            try await eventually("all have ended") { try await world.isEmpty() }
        }
        #expect(try await world.effects() == 2)
        #expect(try await administration.dead(in: Work.queue).map(\.code) == ["unreadable-message"])
        #expect(try await world.violations() == [])
    }

    @Test func `a batch whose connection dies is back at once and is done once`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let runs = NIOLockedValueBox(0)
        _ = try await alpha.send(contentsOf: (1...30).map { Work(number: $0) })
        try await alpha.running(
            queues: [Self.quick],
            handlers: [
                .batch(Work.self) { jobs, transaction in
                    for job in jobs { try await note(job.context, in: transaction) }
                    let run = runs.withLockedValue {
                        $0 += 1
                        return $0
                    }
                    if run == 1 { try await transaction.execute("select pg_terminate_backend(pg_backend_pid())") }
                }
            ]
        ) {
            try await eventually("all have ended") { try await world.isDone(effects: 30) }
        }
        #expect(try await world.count("select count(distinct job) from public.effect") == 30)
        #expect(try await world.violations() == [])
    }

    @Test func `two processes share the batches of a queue without doing one job twice`() async throws {
        let world = try await World.make()
        let (one, two) = (world.bus("alpha"), world.bus("alpha"))
        _ = try await one.send(contentsOf: (1...3000).map { Work(number: $0) })
        let handler = Handler.batch(Work.self, limit: 100) { jobs, transaction in
            try await transaction.execute(
                """
                insert into public.effect (job, attempt, note)
                select id, 1, 'done' from unnest(\(jobs.map(\.context.id.raw))) id
                """)
        }
        try await one.running(queues: [Self.quick], handlers: [handler]) {
            try await two.running(queues: [Self.quick], handlers: [handler]) {
                try await eventually("all have ended") { try await world.isEmpty() }
            }
        }
        #expect(try await world.effects() == 3000)
        #expect(try await world.count("select count(distinct job) from public.effect") == 3000)
        #expect(try await world.violations() == [])
    }

    @Test func `kinds that a process does not know are set aside, the rest of the batch is done`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        _ = try await alpha.send(Work(number: 1))
        try await world.owner.execute("select queue.send(1::smallint, 'alpha.later', 1::smallint, '{}')")
        try await alpha.running(
            queues: [Self.quick],
            handlers: [
                .batch(Work.self) { jobs, transaction in
                    for job in jobs { try await note(job.context, in: transaction) }
                }
            ]
        ) {
            try await eventually("the known one is done, the other waits") {
                let deferred = try await world.count("select count(*) from queue.deferred")
                return try await world.effects() == 1 && deferred == 1
            }
        }
        #expect(try await world.violations() == [])
    }
}

import EmbeddedPostgres
import JobQueue
import Kernel
import Postgres
import TestSupport
import Testing

/// The server goes away in the middle of everything and comes back.
@Suite(.capturedLogs, .serialized)
struct OutageTests {
    @Test func `after an immediate stop of the server every committed job is done, each once`() async throws {
        try await withOwnServer(.durable) { world, server in
            let (alpha, beta) = (world.bus("alpha"), world.bus("beta"))
            let quick = Backoff(base: .milliseconds(20), cap: .milliseconds(200), jitter: 0)
            try await alpha.running(
                queues: [
                    QueueDeclaration(Work.queue, backoff: quick),
                    QueueDeclaration("alpha.ears", backoff: quick, slots: 2),
                ],
                handlers: [
                    .transactional(Work.self) { _, job, transaction in
                        try await note(job, "single", in: transaction)
                    },
                    .batch(Happened.self, on: "alpha.ears", limit: 20) { jobs, transaction in
                        for job in jobs { try await note(job.context, "batch", in: transaction) }
                    },
                ]
            ) {
                try await eventually("the ears are subscribed") {
                    try await world.count("select count(*) from queue.subscription") == 1
                }
                for round in 0..<10 {
                    _ = try await beta.send(contentsOf: (0..<50).map { Work(number: round * 50 + $0) })
                    try await beta.database.transaction { transaction in
                        try await beta.bus.publish(contentsOf: (0..<50).map { Happened(number: $0) }, in: transaction)
                    }
                    guard round == 4 || round == 7 else { continue }
                    try await server.stop(.immediate)
                    _ = try await server.restart()
                    try await eventually("the server answers") {
                        do { return try await world.owner.one("select true").value(at: 0, as: Bool.self) } catch {
                            return false
                        }
                    }
                }
                try await eventually("all jobs have ended", within: .seconds(90)) { try await world.isEmpty() }
            }
            #expect(try await world.count("select count(*) from public.effect where note = 'single'") == 500)
            #expect(try await world.count("select count(*) from public.effect where note = 'batch'") == 500)
            #expect(try await world.count("select count(distinct job) from public.effect") == 1000)
            #expect(try await world.violations() == [])
        }
    }

    @Test func `a worker that starts before its database waits, and works when it is there`() async throws {
        try await withOwnServer { world, server in
            try await server.stop(.fast)
            let alpha = world.bus("alpha")
            let done = Signal<Int>()
            try await alpha.running(handlers: [.transactional(Work.self) { work, _, _ in done.send(work.number) }]) {
                _ = try await server.restart()
                let sent = try await eventually("the command can be sent") {
                    try? await alpha.send(Work(number: 8))
                }
                #expect(try await done.next() == 8)
                #expect(sent.raw > 0)
            }
            #expect(try await world.violations() == [])
        }
    }
}

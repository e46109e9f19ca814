import JobQueue
import Kernel
import NIOConcurrencyHelpers
import Postgres
import TestSupport
import Testing

/// The bus through a pooler of transactions: no session lasts, nothing can be heard, no statement stays prepared.
@Suite(
    .database(JobQueueMigrations.set), .capturedLogs,
    .enabled(if: PgBouncer.isInstalled, "the package pgbouncer is not installed"))
struct PollOnlyTests {
    /// A world whose services reach their database through PgBouncer; the owner does not.
    private func withPooledWorld(_ body: @Sendable (World) async throws -> Void) async throws {
        let direct = try await World.make()
        let test = try TestDatabase.current
        let server = try #require(test.cluster.server)
        try await PgBouncer.run(.transaction, before: server, roles: ["club_alpha", "club_beta"]) { bouncer in
            let world = World(reactor: direct.reactor, owner: direct.owner) { service, pool in
                var configuration = test.configuration(for: service, pool: pool)
                configuration.conninfo += " host=\(bouncer.folder) port=\(bouncer.port)"
                configuration.preparesStatements = false
                return configuration
            }
            try await body(world)
        }
    }

    private static let quick = Backoff(base: .milliseconds(10), jitter: 0)

    @Test func `commands, batches and events are done, each once`() async throws {
        try await self.withPooledWorld { world in
            let alpha = world.bus("alpha", listening: .pollOnly)
            let beta = world.bus("beta", listening: .pollOnly)
            try await alpha.running(
                queues: [QueueDeclaration(Work.queue, backoff: Self.quick)],
                handlers: [
                    .transactional(Work.self) { work, job, transaction in
                        try await note(job, in: transaction)
                        if job.attempt == 1, work.number % 10 == 0 { throw Boom() }
                    },
                    // One bad job: its batch fails, and runs job by job.
                    .batch(Happened.self, on: "alpha.ears", limit: 20) { jobs, transaction in
                        for job in jobs { try await note(job.context, in: transaction) }
                        if jobs.count > 1, jobs.contains(where: { $0.message.number == 33 }) { throw Boom() }
                    },
                ]
            ) {
                try await eventually("the ears are subscribed") {
                    try await world.count("select count(*) from queue.subscription") == 1
                }
                for number in 1...30 { _ = try await beta.send(Work(number: number)) }
                try await beta.database.transaction { transaction in
                    try await beta.bus.publish(contentsOf: (1...50).map { Happened(number: $0) }, in: transaction)
                }
                try await eventually("all have ended") { try await world.isDone(effects: 80) }
                // Nobody listens, nobody waits to be rung for, and no lock is left behind in a session of the pooler.
                #expect(
                    try await world.count(
                        """
                        select count(*) from pg_stat_activity
                        where datname = current_database() and query ilike 'listen%'
                        """) == 0)
                #expect(try await world.count("select count(*) from queue.sleeper") == 0)
                #expect(
                    try await world.count(
                        """
                        select count(*) from pg_locks where locktype = 'advisory' and classid = queue.liveness_class()
                            and database = (select oid from pg_database where datname = current_database())
                        """) == 0)
            }
            #expect(try await world.count("select count(distinct job) from public.effect") == 80)
            #expect(try await world.violations() == [])
        }
    }

    @Test func `as many batches at a time as the pooler has sessions do not wait for each other`() async throws {
        try await self.withPooledWorld { world in
            let alpha = world.bus("alpha", listening: .pollOnly)
            _ = try await alpha.send(contentsOf: (1...10).map { Work(number: $0) })
            let meeting = NIOLockedValueBox(0)
            try await alpha.running(
                queues: [QueueDeclaration(Work.queue, slots: 2)],
                handlers: [
                    .batch(Work.self, limit: 5) { jobs, transaction in
                        for job in jobs { try await note(job.context, in: transaction) }
                        // Each of the two has one of the pooler's two sessions, and neither gives it back.
                        meeting.withLockedValue { $0 += 1 }
                        try await eventually("both are inside") { meeting.withLockedValue { $0 } >= 2 }
                    }
                ]
            ) {
                try await eventually("all have ended") { try await world.isDone(effects: 10) }
            }
            // Neither had to be begun again.
            #expect(meeting.withLockedValue { $0 } == 2)
            #expect(try await world.count("select count(*) from public.effect where attempt = 1") == 10)
            #expect(try await world.violations() == [])
        }
    }

    @Test func `a batch whose job was given to somebody else leaves no effect, and the rest is done`() async throws {
        try await self.withPooledWorld { world in
            let alpha = world.bus("alpha", listening: .pollOnly)
            _ = try await alpha.send(contentsOf: (1...5).map { Work(number: $0) })
            try await alpha.running(handlers: [
                .batch(Work.self, limit: 5) { jobs, transaction in
                    for job in jobs { try await note(job.context, in: transaction) }
                    guard jobs.count > 1, let third = jobs.first(where: { $0.message.number == 3 }) else { return }
                    // As a rescue would; it runs a second time, elsewhere.
                    try await world.owner.execute(
                        "update queue.lease set deadline = clock_timestamp() - interval '1 s' where id = \(third.context.id.raw)"
                    )
                    try await eventually("it was taken away") {
                        try await world.count(
                            "select count(*) from queue.lease where id = \(third.context.id.raw) and attempt = 1") == 0
                    }
                }
            ]) {
                try await eventually("all have ended") { try await world.isDone(effects: 5) }
            }
            #expect(try await world.count("select count(distinct job) from public.effect") == 5)
            #expect(try await world.count("select count(*) from public.effect where attempt = 2") == 1)
            #expect(try await world.violations() == [])
        }
    }

    @Test func `calls are answered, durable and volatile`() async throws {
        try await self.withPooledWorld { world in
            let alpha = world.bus("alpha", listening: .pollOnly)
            let beta = world.bus("beta", listening: .pollOnly)
            try await alpha.running(
                handlers: [
                    .reply(Double.self) { call, _, _ in Double.Reply(number: call.number * 2) },
                    .reply(Peek.self) { call, _, _ in Peek.Reply(number: call.number) },
                ]
            ) {
                try await beta.running {
                    let doubled = try await beta.bus.call(Double(number: 4), deadline: .seconds(30))
                    let peeked = try await beta.bus.call(Peek(number: 5), deadline: .seconds(30))
                    #expect(doubled.number == 8)
                    #expect(peeked.number == 5)
                }
            }
            #expect(try await world.violations() == [])
        }
    }

    @Test func `a process lives by its heartbeat; when that stops for long its jobs go elsewhere`() async throws {
        try await self.withPooledWorld { world in
            let alpha = world.bus("alpha", listening: .pollOnly)
            // Has claimed a job and says nothing any more.
            let ghost = world.database("alpha")
            let worker = try await ghost.one("select queue.register('alpha', 'ghost', 1, true)").decode(Int32.self)
            _ = try await alpha.send(Work(number: 1))
            try await ghost.execute(
                """
                select from queue.look(
                    \(worker), array[(select id from queue.resolve(array['alpha.work']))], array[1], array[false])
                """)
            #expect(try await world.count("select count(*) from queue.lease where worker_id = \(worker)") == 1)
            let dead: SQL = "select cardinality(queue.dead_workers('alpha'))::bigint"
            try await world.owner.execute("update queue.worker set seen_at = seen_at - interval '10 seconds'")
            #expect(try await world.count(dead) == 0)
            try await world.owner.execute("update queue.worker set seen_at = seen_at - interval '10 seconds'")
            #expect(try await world.count(dead) == 1)
            try await alpha.running(
                handlers: [.transactional(Work.self) { _, job, transaction in try await note(job, in: transaction) }]
            ) {
                try await eventually("the job has run elsewhere") { try await world.isDone(effects: 1) }
            }
            #expect(try await world.count("select attempt::bigint from public.effect") == 2)
            #expect(try await world.violations() == [])
        }
    }
}

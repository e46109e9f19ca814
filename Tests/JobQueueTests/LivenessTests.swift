import JobQueue
import Kernel
import NIOConcurrencyHelpers
import Postgres
import TestSupport
import Testing

/// Guarantee 4: whoever dies has his jobs running elsewhere, and a job that kills its workers stops doing so.
@Suite(.database(JobQueueMigrations.set), .capturedLogs)
struct LivenessTests {
    /// A worker that claims one job and dies with it, as by kill -9: its session ends, its row stays.
    private func dieWithAJob(_ world: World, number: Int16 = 1) async throws {
        let database = world.database("alpha", pool: 1)
        let worker = try await database.one("select queue.register('alpha', 'ghost', 1)").value(at: 0, as: Int32.self)
        let jobs = try await database.query(
            "select id from queue.claim(\(worker), \([number]), \([Int32(1)]), \([false]))")
        #expect(jobs.count == 1)
        await database.shutdown()
        try await eventually("the server has ended its session") {
            try await world.count(
                """
                select count(*) from pg_locks
                where locktype = 'advisory' and classid = queue.liveness_class() and objid = \(worker)
                    and database = (select oid from pg_database where datname = current_database())
                """) == 0
        }
        try await world.owner.execute(
            "update queue.worker set seen_at = seen_at - interval '1 hour' where id = \(worker)")
    }

    private func declare(_ world: World, losses: Int = 3) async throws {
        let alpha = world.bus("alpha")
        try await alpha.running(
            queues: [QueueDeclaration(Work.queue, lossesMax: losses)],
            handlers: []
        ) {
            try await eventually("the queue is declared") {
                try await world.count("select count(*) from queue.queue where declared_at is not null") == 1
            }
        }
    }

    @Test func `the job of a dead worker runs elsewhere, its attempt counted`() async throws {
        let world = try await World.make()
        try await self.declare(world)
        let alpha = world.bus("alpha")
        _ = try await alpha.send(Work(number: 1))
        try await self.dieWithAJob(world)
        let done = Signal<Int>()
        try await alpha.running(
            handlers: [.transactional(Work.self) { _, job, _ in done.send(job.attempt) }]
        ) {
            #expect(try await done.next() == 2)
            try await eventually("the job has ended") { try await world.isEmpty() }
        }
        #expect(try await world.count("select count(*) from queue.outcome where state = 6") == 1)
        #expect(try await world.violations() == [])
    }

    @Test func `a job that has taken down too many workers is dead and does not run again`() async throws {
        let world = try await World.make()
        try await self.declare(world, losses: 2)
        let alpha = world.bus("alpha")
        let administration = QueueAdministration(world.owner)
        _ = try await alpha.send(Work(number: 1))
        for _ in 1...2 {
            try await self.dieWithAJob(world)
            try await alpha.running {
                try await eventually("the loss is counted") {
                    try await world.count("select count(*) from queue.lease") == 0
                }
            }
        }
        #expect(try await administration.dead(in: Work.queue).map(\.code) == ["killed_worker"])
        #expect(try await world.isEmpty())
        #expect(try await world.violations() == [])
    }

    @Test func `a batch that its worker died over comes back, job by job`() async throws {
        let world = try await World.make()
        try await self.declare(world)
        let alpha = world.bus("alpha")
        let ids = try await alpha.send(contentsOf: [Work(number: 1), Work(number: 2)])
        let ghost = world.database("alpha", pool: 2)
        let worker = try await ghost.one("select queue.register('alpha', 'ghost', 1)").value(at: 0, as: Int32.self)
        try await ghost.execute("select queue.announce(\(worker), 0::smallint, 1::smallint, \(ids.map(\.raw)))")
        await ghost.shutdown()
        try await world.owner.execute(
            "update queue.worker set seen_at = seen_at - interval '1 hour' where id = \(worker)")
        try await alpha.running {
            try await eventually("the losses are counted") {
                try await world.count("select count(*) from queue.ready where attempt = 1") == 2
            }
        }
        let sizes = NIOLockedValueBox<[Int]>([])
        try await alpha.running(
            handlers: [
                .batch(Work.self) { jobs, transaction in
                    sizes.withLockedValue { $0.append(jobs.count) }
                    for job in jobs { try await note(job.context, in: transaction) }
                }
            ]
        ) {
            try await eventually("both have ended") { try await world.isEmpty() }
        }
        #expect(sizes.withLockedValue { $0 } == [1, 1])
        #expect(try await world.effects() == 2)
        #expect(try await world.violations() == [])
    }

    @Test func `a worker that was not seen but holds its lock, or has no lock but was seen, is not dead`() async throws
    {
        let world = try await World.make()
        try await self.declare(world)
        let alpha = world.bus("alpha")
        _ = try await alpha.send(contentsOf: [Work(number: 1), Work(number: 2)])
        // Stalled: the session is there, no beat for an hour.
        let stalled = world.database("alpha")
        try await stalled.withConnection { session in
            let worker = try await session.one("select queue.register('alpha', 'stalled', 1)").value(
                at: 0, as: Int32.self)
            _ = try await session.query("select id from queue.claim(\(worker), '{1}', '{1}', '{f}')")
            try await world.owner.execute("update queue.worker set seen_at = seen_at - interval '1 hour'")
            // Reconnecting: the session is gone, the last beat is fresh.
            try await self.dieWithAJob(world)
            let rescuer: Int32 = try await world.owner.one("select queue.register('alpha', 'h', 1)").value(at: 0)
            try await world.owner.execute("update queue.worker set session_at = session_at - interval '1 hour'")
            try await world.owner.transaction { transaction in
                try await transaction.execute(
                    "update queue.worker set seen_at = clock_timestamp() where host = 'ghost'")
                // What the chores of a second would do.
                try await transaction.execute("select queue.tend(\(rescuer), 100)")
            }
            #expect(try await world.count("select count(*) from queue.lease") == 2)
            try await world.owner.execute(
                "update queue.worker set seen_at = seen_at - interval '2 hours' where host = 'ghost'")
            try await eventually("the one with neither is dead") {
                try await world.owner.execute("select queue.tend(\(rescuer), 100)")
                return try await world.count("select count(*) from queue.lease") == 1
            }
        }
    }

    @Test func `nobody is declared dead by a process that has just joined`() async throws {
        let world = try await World.make()
        try await self.declare(world)
        let alpha = world.bus("alpha")
        _ = try await alpha.send(Work(number: 1))
        try await self.dieWithAJob(world)
        let worker = try await world.owner.one("select queue.register('alpha', 'new', 1)").value(at: 0, as: Int32.self)
        try await world.owner.execute("update queue.worker set session_at = clock_timestamp() where id = \(worker)")
        try await world.owner.execute("select queue.tend(\(worker), 100)")
        #expect(try await world.count("select count(*) from queue.lease") == 1)
        try await world.owner.execute("update queue.worker set session_at = session_at - interval '3 seconds'")
        try await world.owner.execute("select queue.tend(\(worker), 100)")
        #expect(try await world.count("select count(*) from queue.lease") == 0)
    }

    @Test func `an expired lease is rescued although its worker lives, and the late completion is fenced`() async throws
    {
        let world = try await World.make()
        let (one, two) = (world.bus("alpha"), world.bus("alpha"))
        let queue = QueueDeclaration(
            Work.queue, backoff: Backoff(base: .milliseconds(5), jitter: 0), lease: .milliseconds(300))
        let attempts = Signal<Int>()
        let handler = Handler.transactional(Work.self) { _, job, transaction in
            attempts.send(job.attempt)
            if job.attempt == 1 { try await transaction.execute("select pg_sleep(30)") }
            try await note(job, in: transaction)
        }
        try await one.running(queues: [queue], handlers: [handler]) {
            try await two.running(queues: [queue], handlers: [handler]) {
                _ = try await one.send(Work(number: 1))
                let seen = try await attempts.next(2)
                #expect(seen == [1, 2])
                try await eventually("the job has ended") { try await world.isEmpty() }
            }
        }
        #expect(try await world.effects() == 1)
        #expect(try await world.violations() == [])
    }

    @Test func `a worker whose control session is cut comes back under its number, and its jobs go on`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let (begun, mayEnd, ended) = (Signal<Void>(), Signal<Void>(), Signal<Int>())
        try await alpha.running(
            handlers: [
                .transactional(Work.self) { _, job, transaction in
                    begun.send()
                    try await mayEnd.next()
                    try await note(job, in: transaction)
                    transaction.afterCommit { ended.send(job.attempt) }
                }
            ]
        ) {
            _ = try await alpha.send(Work(number: 1))
            try await begun.next()
            try await world.owner.execute(
                """
                select pg_terminate_backend(l.pid) from pg_locks l
                where l.locktype = 'advisory' and l.classid = queue.liveness_class()
                    and l.database = (select oid from pg_database where datname = current_database())
                """)
            try await eventually("the lock is held again") {
                try await world.count(
                    """
                    select count(*) from pg_locks l
                    where l.locktype = 'advisory' and l.classid = queue.liveness_class()
                        and l.database = (select oid from pg_database where datname = current_database())
                    """) == 1
            }
            mayEnd.send()
            #expect(try await ended.next() == 1)
        }
        #expect(try await world.count("select max(id)::bigint from queue.outcome") > 0)
        #expect(try await world.effects() == 1)
        #expect(try await world.violations() == [])
    }

    @Test func `a worker that was declared dead by mistake registers anew and works on`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let done = Signal<Int>()
        try await alpha.running(handlers: [.transactional(Work.self) { work, _, _ in done.send(work.number) }]) {
            let first = try await eventually("it has joined") {
                try await world.owner.first("select id from queue.worker")
            }.value(at: 0, as: Int32.self)
            try await world.owner.execute("select queue.forget(\(first))")
            try await eventually("it has another number") {
                try await world.count("select count(*) from queue.worker where id > \(first)") == 1
            }
            _ = try await alpha.send(Work(number: 5))
            #expect(try await done.next() == 5)
        }
        #expect(try await world.violations() == [])
    }

    /// Two sessions in one: the one that sends a job for soon commits when the search has long gone past its moment.
    @Test func `a delayed job that was committed late is found by a search from the beginning`() async throws {
        let world = try await World.make()
        try await self.declare(world)
        let worker: Int32 = try await world.owner.one("select queue.register('alpha', 'h', 1)").value(at: 0)
        func tend(_ floor: Timestamp?) async throws -> (queues: [Int16], floor: Timestamp) {
            let row = try await world.owner.one("select queues, floor from queue.tend(\(worker), 100, \(floor))")
            return (try row.value(at: 0), try row.value(at: 1))
        }
        let alpha = world.bus("alpha")
        _ = try await alpha.send(Work(number: 1), .delay(.seconds(3600)))
        let first = try await tend(nil)
        #expect(first.queues == [])
        try await world.owner.execute(
            "update queue.deferred set run_at = \(first.floor) - interval '1 second'")
        #expect(try await tend(first.floor).queues == [], "it stands before the floor")
        #expect(try await tend(nil).queues.count == 1)
        // What a round leaves over is behind its floor.
        _ = try await alpha.send(contentsOf: (1...2).map { Work(number: $0) })
        try await world.owner.execute(
            """
            with gone as (delete from queue.ready where attempt = 0 returning *)
            insert into queue.deferred (run_at, id, queue_id, priority, attempt)
            select clock_timestamp() - interval '1 hour' + row_number() over () * interval '1 minute', id, queue_id,
                priority, 0
            from gone
            """)
        let part = try await world.owner.one("select floor from queue.tend(\(worker), 1)").value(
            at: 0, as: Timestamp.self)
        var left = try await world.count("select count(*) from queue.deferred")
        #expect(left == 2)
        var floor = part
        while left > 0 {
            floor = try await tend(floor).floor
            let now = try await world.count("select count(*) from queue.deferred")
            #expect(now < left)
            left = now
        }
    }

    /// What was written before it lies in the time to come, on the dead and on who looks for them.
    @Test func `a server whose clock was set back finds the dead all the same`() async throws {
        let world = try await World.make()
        try await self.declare(world)
        let alpha = world.bus("alpha")
        _ = try await alpha.send(Work(number: 1))
        try await self.dieWithAJob(world)
        let rescuer: Int32 = try await world.owner.one("select queue.register('alpha', 'h', 1)").value(at: 0)
        try await world.owner.execute(
            """
            update queue.worker
            set session_at = clock_timestamp() + interval '1 hour',
                seen_at = clock_timestamp() + case when id = \(rescuer) then interval '0' else interval '1 hour' end
            """)
        let queues: [Int16] = try await world.owner.one("select queue.rescue(\(rescuer), 100)").value(at: 0)
        #expect(queues.count == 1)
        #expect(try await world.count("select count(*) from queue.ready where attempt = 1") == 1)
        #expect(try await world.violations() == [])
    }
}

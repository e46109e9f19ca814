import JobQueue
import Kernel
import NIOConcurrencyHelpers
import Postgres
import TestSupport
import Testing

/// Guarantee 2: a transactional handler's effects happen exactly once, whatever happens to it on the way.
@Suite(.database(JobQueueMigrations.set), .capturedLogs)
struct ExactlyOnceTests {
    static let quick = QueueDeclaration(Work.queue, backoff: Backoff(base: .milliseconds(10), jitter: 0))

    @Test func `a handler that fails after its effects leaves none, and is tried again`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let attempts = NIOLockedValueBox<[Int]>([])
        try await alpha.running(
            queues: [Self.quick],
            handlers: [
                .transactional(Work.self) { _, job, transaction in
                    try await note(job, in: transaction)
                    attempts.withLockedValue { $0.append(job.attempt) }
                    if job.attempt < 3 { throw Boom() }
                }
            ]
        ) {
            _ = try await alpha.send(Work(number: 1))
            try await eventually("the third attempt has succeeded") { try await world.effects() == 1 }
        }
        #expect(attempts.withLockedValue { $0 } == [1, 2, 3])
        #expect(try await world.isEmpty())
        #expect(try await world.violations() == [])
    }

    @Test func `a connection that dies between claim and commit takes the effects with it`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        try await alpha.running(
            queues: [Self.quick],
            handlers: [
                .transactional(Work.self) { _, job, transaction in
                    try await note(job, in: transaction)
                    if job.attempt == 1 {
                        try await transaction.execute("select pg_terminate_backend(pg_backend_pid())")
                    }
                }
            ]
        ) {
            _ = try await alpha.send(contentsOf: (1...5).map { Work(number: $0) })
            try await eventually("all jobs have ended") { try await world.isDone(effects: 5) }
        }
        #expect(try await world.count("select count(distinct job) from public.effect") == 5)
        #expect(try await world.violations() == [])
    }

    @Test func `a zombie whose job was given to somebody else cannot complete it`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let runs = NIOLockedValueBox(0)
        let isOver = Signal<Void>()
        try await alpha.running(
            queues: [Self.quick],
            handlers: [
                .transactional(Work.self) { _, job, transaction in
                    try await note(job, in: transaction)
                    let run = runs.withLockedValue {
                        $0 += 1
                        return $0
                    }
                    guard run == 1 else { return isOver.send() }
                    // What a rescuer does to a worker it takes for dead.
                    try await world.owner.execute(
                        """
                        with gone as (delete from queue.lease where id = \(job.id.raw) returning *)
                        insert into queue.ready (slot, queue_id, priority, id, attempt)
                        select 0, queue_id, priority, id, attempt from gone
                        """)
                    try await world.owner.execute("select queue.bell(array[1, 2]::smallint[], '{}')")
                }
            ]
        ) {
            _ = try await alpha.send(Work(number: 1))
            try await isOver.next()
            try await eventually("the job has ended") { try await world.isEmpty() }
        }
        // The zombie's effect was rolled back by the fence; the second run's stands.
        #expect(try await world.count("select attempt::bigint from public.effect") == 2)
        #expect(try await world.violations() == [])
    }

    @Test func `follow-up jobs are sent only by the attempt that commits, and name their cause`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let trace = TraceContext.root(random: .seeded())
        let followed = Signal<JobContext>()
        try await alpha.running(
            queues: [Self.quick],
            handlers: [
                .transactional(Work.self) { work, job, transaction in
                    try await alpha.bus.publish(Happened(number: work.number), in: transaction)
                    if job.attempt == 1 { throw Boom() }
                },
                .transactional(Happened.self, on: "alpha.ears") { _, job, _ in followed.send(job) },
            ]
        ) {
            let id = try await TraceContext.$current.withValue(trace) { try await alpha.send(Work(number: 1)) }
            let context = try await followed.next()
            #expect(context.cause == id)
            #expect(context.traceparent.flatMap(TraceContext.init(traceparent:))?.traceID == trace.traceID)
            try await eventually("all is done") { try await world.isEmpty() }
        }
        #expect(try await world.count("select count(*) from queue.job where kind = 'alpha.happened'") == 1)
    }

    @Test func `a leased handler's job is completed after it and not before`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let seen = Signal<Bool>()
        try await alpha.running(
            handlers: [
                .leased(Work.self) { _, job in
                    let isLeased = try await world.count("select count(*) from queue.lease where id = \(job.id.raw)")
                    seen.send(isLeased == 1)
                }
            ]
        ) {
            _ = try await alpha.send(Work(number: 1))
            #expect(try await seen.next())
            try await eventually("the job has ended") { try await world.isEmpty() }
        }
        #expect(try await world.violations() == [])
    }
}

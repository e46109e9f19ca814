import JobQueue
import Kernel
import Postgres
import TestSupport
import Testing

/// Every pair of operations in two sessions: the first keeps its transaction open while the second runs or waits for it,
/// and then commits or rolls back. Nothing ends in a deadlock, nothing fails but where the schema says so, and in the end
/// every invariant holds.
@Suite(.database(JobQueueMigrations.set), .capturedLogs)
struct TwoSessionTests {
    enum Operation: String, Sendable, CaseIterable {
        case send, admit, look, complete, fail, rescue, cancel, rotate, sweep

        func sql(_ scene: Scene) -> SQL {
            switch self {
            case .send: "select queue.send(\(scene.queue), 'x', 1::smallint, '{}', 'b')"
            case .admit: "select queue.admit(\(scene.queue), 100)"
            case .look: "select id from queue.look(\(scene.workers[1]), \([scene.queue]), '{9}', '{f}')"
            case .complete: "select queue.complete(\(scene.workers[2]), \(scene.job), 1::smallint)"
            case .fail: "select queue.fail(\(scene.workers[2]), \(scene.job), 1::smallint, '{}')"
            case .rescue: "select queue.rescue(\(scene.workers[1]), 100)"
            case .cancel: "select queue.cancel(\(scene.job), 'test')"
            case .rotate: "select queue.rotate('0 seconds', 0)"
            case .sweep: "select queue.sweep_slot(s::smallint) from generate_series(0, 7) s"
            }
        }

        /// What may be refused when the other operation came first: the claim was lost to it.
        static func mayLose(_ second: Operation, to first: Operation) -> Bool {
            [.complete, .fail].contains(second) && [.complete, .fail, .rescue].contains(first)
        }
    }

    /// A queue by key in which everything is there at once: a job that runs with another behind it, a job of a dead worker
    /// with another behind it, jobs that are ready, deferred and arriving, and a slot that can be swept.
    struct Scene: Sendable {
        let queue: Int16
        let workers: [Int32]
        /// Runs at the dead worker, the last one, and has a key with a job behind it.
        let job: Int64
    }

    static func set(in world: World) async throws -> Scene {
        try await world.owner.execute(
            """
            truncate queue.job, queue.outcome, queue.ready, queue.delta, queue.counter, queue.deferred, queue.lease,
                queue.arrival, queue.gate, queue.blocked, queue.halted, queue.cancellation, queue.audit, queue.ring,
                queue.worker
            """)
        try await world.owner.execute("insert into queue.ring (slot) values (0)")
        let queue: Int16 = try await world.owner.one(
            """
            select id from queue.declare('alpha', '[{
                "name": "alpha.pairs", "key_limit": 1, "attempts_max": 3, "losses_max": 3, "backoff_base_ms": 3600000,
                "lease_ms": 86400000}]')
            """
        ).value(at: 0)
        // Written, not registered: so nobody holds the locks of the dead one, and the living one was seen just now.
        let workers: [Int32] = try await world.owner.one(
            """
            with w as (
                insert into queue.worker (service, host, pid, session_at, seen_at)
                select 'alpha', 'h', n, clock_timestamp() - interval '1 hour', clock_timestamp() + seen
                from (values (1, interval '1 day'), (2, '1 day'), (3, '-1 day')) v(n, seen)
                returning id
            )
            select array_agg(id order by id) from w
            """
        ).value(at: 0)
        func send(_ key: String?, _ count: Int) async throws -> [Int64] {
            try await world.owner.one(
                """
                select array_agg(queue.send(\(queue), 'x', 1::smallint, '{}', \(key)))
                from generate_series(1, \(Int32(count)))
                """
            ).value(at: 0)
        }
        _ = try await send("a", 3)
        try await world.owner.execute("select queue.look(\(workers[0]), \([queue]), '{1}', '{f}')")
        let jobs = try await send("b", 2)
        try await world.owner.execute("select queue.look(\(workers[2]), \([queue]), '{1}', '{f}')")
        try await world.owner.execute("select queue.rotate('0 seconds', 0)")
        _ = try await send(nil, 2)
        _ = try await send("c", 2)
        try await world.owner.execute("select queue.admit(\(queue), 100)")
        _ = try await send("d", 1)
        _ = try await send("b", 1)
        return Scene(queue: queue, workers: workers, job: jobs[0])
    }

    /// What the second session says: nil when all went well.
    private func run(_ operation: Operation, _ scene: Scene, on session: Connection) async -> String? {
        do {
            try await session.transaction { _ = try await $0.run(operation.sql(scene)) }
            return nil
        } catch let error as DatabaseError {
            return error.sqlState ?? "\(error)"
        } catch {
            return "\(error)"
        }
    }

    private struct TakeBack: Error {}

    /// The first operation is done and its transaction open; the second begins, and when it has ended or waits for a lock
    /// the first one ends.
    private func interleave(
        _ first: Operation, _ second: Operation, commits: Bool, in world: World, _ a: Connection, _ b: Connection
    ) async throws -> String? {
        let scene = try await Self.set(in: world)
        let pid: Int32 = try await b.one("select pg_backend_pid()").value(at: 0)
        return try await withThrowingTaskGroup(of: String?.self) { group in
            do {
                try await a.transaction { transaction in
                    _ = try await transaction.run(first.sql(scene))
                    let ended = Signal<Void>()
                    group.addTask {
                        defer { ended.send() }
                        return await self.run(second, scene, on: b)
                    }
                    try await self.untilEndedOrWaiting(pid, ended, in: world)
                    if !commits { throw TakeBack() }
                }
            } catch is TakeBack {}
            return try await group.next() ?? "it never began"
        }
    }

    /// Returns when the session is at rest after its statement, or waits for a lock.
    private func untilEndedOrWaiting(_ pid: Int32, _ ended: Signal<Void>, in world: World) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await ended.next() }
            group.addTask {
                try await eventually("the second session waits for the first one", every: .milliseconds(5)) {
                    try await world.count("select count(*) from unnest(pg_blocking_pids(\(pid)))") > 0
                }
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    @Test(arguments: Operation.allCases)
    func `after this one every other goes on`(_ first: Operation) async throws {
        let world = try await World.make()
        try await world.owner.withConnection { a in
            try await world.owner.withConnection { b in
                for second in Operation.allCases {
                    for commits in [true, false] {
                        let failure = try await self.interleave(first, second, commits: commits, in: world, a, b)
                        let pair = "\(second.rawValue) while \(first.rawValue) \(commits ? "commits" : "rolls back")"
                        let isExcused = commits && failure == "QL001" && Operation.mayLose(second, to: first)
                        #expect(failure == nil || isExcused, "\(pair): \(failure ?? "")")
                        let violations = try await world.violations()
                        #expect(violations == [], "\(pair)")
                    }
                }
            }
        }
    }

    /// Neither misses the other: a failure that has not seen the word would try again what somebody has cancelled.
    @Test func `a failure and a cancellation at the same time end the job, whichever is first`() async throws {
        let world = try await World.make()
        try await world.owner.withConnection { a in
            try await world.owner.withConnection { b in
                for (first, second) in [(Operation.cancel, Operation.fail), (.fail, .cancel)] {
                    let failure = try await self.interleave(first, second, commits: true, in: world, a, b)
                    #expect(failure == nil)
                    let cancelled = try await world.count("select count(*) from queue.outcome where state = 5")
                    #expect(cancelled == 1, "\(second.rawValue) while \(first.rawValue)")
                }
            }
        }
    }

    @Test(arguments: [true, false])
    func `two who turn the ring at once open one slot`(_ commits: Bool) async throws {
        let world = try await World.make()
        try await world.owner.withConnection { a in
            try await world.owner.withConnection { b in
                let failure = try await self.interleave(.rotate, .rotate, commits: commits, in: world, a, b)
                #expect(failure == nil)
            }
        }
        let slots: [Int16] = try await world.owner.one("select array_agg(slot order by generation) from queue.ring")
            .value(at: 0)
        #expect(slots == [0, 1, 2])
        #expect(try await world.violations() == [])
    }

    /// The sweep has found the slot sealed, and waits to see whether it is empty; meanwhile it becomes the current one.
    @Test func `a slot that is opened while somebody comes to empty it stays in the ring`() async throws {
        let world = try await World.make()
        _ = try await Self.set(in: world)
        try await world.owner.withConnection { a in
            try await world.owner.withConnection { b in
                let pid: Int32 = try await b.one("select pg_backend_pid()").value(at: 0)
                let said = try await withThrowingTaskGroup(of: String.self) { group in
                    try await a.transaction { transaction in
                        try await transaction.execute("lock table queue.ready_2 in access exclusive mode")
                        group.addTask { try await b.one("select queue.sweep_slot(2::smallint)").value(at: 0) }
                        try await eventually("the sweep waits", every: .milliseconds(5)) {
                            try await world.count("select count(*) from unnest(pg_blocking_pids(\(pid)))") > 0
                        }
                        let opened: Int16 = try await transaction.one("select queue.rotate('0 seconds', 0)").value(
                            at: 0)
                        #expect(opened == 2)
                    }
                    return try await group.next()
                }
                #expect(said == "current")
            }
        }
        #expect(try await world.count("select count(*) from queue.ring where slot = 2") == 1)
    }
}

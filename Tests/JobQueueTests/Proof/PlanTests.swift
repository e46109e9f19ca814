import JobQueue
import Kernel
import Postgres
import TestSupport
import Testing

/// The functions on the way of a job find their rows by index, with plans that know no values, in tables that are full
/// of dead rows: no table that grows is scanned, and what they read does not grow with them.
@Suite(.database(JobQueueMigrations.set), .capturedLogs)
struct PlanTests {
    /// What one call of a function read.
    struct Cost: Sendable {
        let pages: Int
        /// Tables that were scanned from end to end.
        let scanned: [String]
    }

    struct Scene: Sendable {
        let queue: Int16
        let worker: Int32
        /// Runs, with hundreds behind it.
        let job: Int64
        /// The rank behind the dead entries.
        let floor: Int64
        /// Ten that are ready.
        let ready: [Int64]
    }

    /// Each of these tables gets 100,000 rows that are deleted again; they fill more than 600 pages, and so does an index.
    private static let dead: [SQL] = [
        """
        insert into queue.ready_0 (slot, queue_id, priority, rank, id)
        select 0, 1, 2, n, n from generate_series(1, 100000) n
        """,
        "delete from queue.ready_0",
        """
        insert into queue.deferred (run_at, id, queue_id, priority, attempt)
        select clock_timestamp() - interval '1 day', n, 1, 2, 0 from generate_series(1, 100000) n
        """,
        "delete from queue.deferred",
        """
        insert into queue.lease (id, deadline, worker_id, queue_id, priority, attempt)
        select n, clock_timestamp() + interval '1 day', 1, 1, 2, 1 from generate_series(1, 100000) n
        """,
        "delete from queue.lease",
        """
        insert into queue.blocked (aseq, id, queue_id, priority, key)
        select n, n, 1, 2, 'a' from generate_series(1, 100000) n
        """,
        "delete from queue.blocked",
        "insert into queue.gate (queue_id, running, key) select 1, 1, 'x' || n from generate_series(1, 100000) n",
        "delete from queue.gate",
        "select setval('queue.admission_number', 1000000)",
    ]

    private func arrange(_ world: World) async throws -> Scene {
        let queue: Int16 = try await world.owner.one(
            """
            select id from queue.declare('alpha', '[{"name": "alpha.plans", "key_limit": 1, "lease_ms": 86400000}]')
            """
        ).value(at: 0)
        for table in ["ready_0", "deferred", "lease", "blocked", "gate"] {
            try await world.owner.execute(
                "alter table \(identifier: "queue", table) set (autovacuum_enabled = off)")
        }
        for statement in Self.dead { try await world.owner.execute(statement) }
        let worker: Int32 = try await world.owner.one(
            "insert into queue.worker (service, host, pid) values ('alpha', 'h', 1) returning id"
        ).value(at: 0)
        try await world.owner.execute(
            """
            select queue.send(
                \(queue), 'x', 1::smallint, '{}', case when n % 2 = 1 then 'a' else 'b' || n end, 2::smallint,
                case when n > 600 then clock_timestamp() + interval '1 hour' end)
            from generate_series(1, 620) n
            """)
        try await world.owner.execute("update queue.deferred set run_at = run_at - interval '2 hours'")
        try await world.owner.execute("select queue.look(\(worker), \([queue]), '{1}', '{f}')")
        let job: Int64 = try await world.owner.one("select id from queue.lease where key = 'a'").value(at: 0)
        let ready: [Int64] = try await world.owner.one(
            "select array_agg(id) from (select id from queue.ready where queue_id = \(queue) order by id limit 10) r"
        ).value(at: 0)
        return Scene(queue: queue, worker: worker, job: job, floor: 100_000, ready: ready)
    }

    private struct TakeBack: Error {}

    /// Calls once to fill the caches, and once to count; leaves nothing behind.
    private func cost(of call: SQL, on session: Connection) async throws -> Cost {
        var cost: Cost?
        for _ in 0..<2 {
            do {
                try await session.transaction { transaction in
                    let before = try await self.scans(transaction)
                    let plan = try await transaction.query("explain (analyze, buffers, timing off) \(fragment: call)")
                        .map { try $0.value(at: 0, as: String.self) }
                    let after = try await self.scans(transaction)
                    let buffers = plan.first { $0.contains("Buffers: shared") } ?? ""
                    let pages = buffers.split(separator: " ").compactMap { word in
                        ["hit=", "read="].contains { word.hasPrefix($0) } ? Int(word.drop { !$0.isNumber }) : nil
                    }
                    cost = Cost(
                        pages: pages.reduce(0, +), scanned: after.filter { $1 > before[$0] ?? 0 }.keys.sorted())
                    throw TakeBack()
                }
            } catch is TakeBack {}
        }
        return try #require(cost)
    }

    /// How often this session has scanned each table so far, but for those that stay small by their nature.
    private func scans(_ transaction: borrowing Transaction) async throws -> [String: Int64] {
        let rows = try await transaction.query(
            """
            select relname::text, seq_scan from pg_stat_xact_user_tables
            where schemaname = 'queue' and relname not in ('queue', 'ring', 'worker')
            """)
        return Dictionary(uniqueKeysWithValues: try rows.map { try $0.decode(String.self, Int64.self) })
    }

    /// Where it is more than 300: what is isolated is looked up in every priority.
    static let pages = ["isolate": 400]
    static let functions = ["claim", "claim beside batches", "complete", "hand_over", "fail", "promote", "isolate"]

    private func call(_ function: String, _ scene: Scene) -> SQL {
        switch function {
        case "claim":
            """
            select * from queue.look(
                \(scene.worker), \([scene.queue]), '{10}', '{f}', '{2}', \([scene.floor]))
            """
        case "claim beside batches":
            """
            select * from queue.look(\(scene.worker), \([scene.queue]), '{10}', '{t}', '{-1}', '{0}', '{f}')
            """
        case "complete": "select queue.complete(\(scene.worker), \(scene.job), 1::smallint)"
        case "hand_over": "select queue.hand_over(\(scene.queue), '{a}', '{1000001}')"
        case "fail": "select * from queue.fail(\(scene.worker), \(scene.job), 1::smallint, '{}')"
        case "promote": "select queue.promote('alpha', 100, clock_timestamp() - interval '12 hours')"
        default: "select queue.isolate(\(scene.worker), \(scene.queue), \(scene.ready))"
        }
    }

    @Test func `what is on the way of a job reads few pages, and by index`() async throws {
        let world = try await World.make()
        let scene = try await self.arrange(world)
        try await world.owner.withConnection { session in
            try await session.execute("set plan_cache_mode = force_generic_plan")
            for function in Self.functions {
                let cost = try await self.cost(of: self.call(function, scene), on: session)
                #expect(cost.scanned == [], "\(function)")
                let limit = Self.pages[function] ?? 300
                #expect(cost.pages > 0 && cost.pages < limit, "\(function) read \(cost.pages) pages")
            }
            try await session.execute("reset plan_cache_mode")
        }
    }

    /// What was promoted stays in front of what is due as dead entries, and behind it all stand those that have time.
    @Test func `the search for what is due begins where the last one ended, and ends where nothing is due`()
        async throws
    {
        let world = try await World.make()
        let scene = try await self.arrange(world)
        try await world.owner.execute(
            """
            insert into queue.deferred (run_at, id, queue_id, priority, attempt)
            select clock_timestamp() + interval '1 day', n, \(scene.queue), 2, 0 from generate_series(1, 100000) n
            """)
        try await world.owner.withConnection { session in
            try await session.execute("set plan_cache_mode = force_generic_plan")
            let full = try await self.cost(of: "select queue.promote('alpha', 100)", on: session)
            let row = try await session.one("select floor, clock_timestamp() from queue.tend(\(scene.worker), 100)")
            let (floor, now) = try row.decode(Timestamp.self, Timestamp.self)
            #expect(floor > now - .seconds(60) && floor <= now - .seconds(5))
            let next = try await self.cost(of: "select queue.promote('alpha', 100, \(floor))", on: session)
            #expect(full.scanned == [] && next.scanned == [])
            #expect(full.pages > 250 && full.pages < 900, "\(full.pages) pages from the beginning")
            #expect(next.pages < 30, "\(next.pages) pages behind the floor")
            try await session.execute("reset plan_cache_mode")
        }
    }

    /// The measure itself: without the index the same claim scans its leaf, and both numbers show it.
    @Test func `a claim without its index is caught`() async throws {
        let world = try await World.make()
        let scene = try await self.arrange(world)
        try await world.owner.execute("drop index queue.ready_0_queue_id_priority_rank_idx")
        try await world.owner.withConnection { session in
            let cost = try await self.cost(of: self.call("claim", scene), on: session)
            #expect(cost.scanned == ["ready_0"])
            #expect(cost.pages > 600)
        }
    }
}

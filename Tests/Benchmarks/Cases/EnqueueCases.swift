import JobQueue
import Kernel
import Postgres

/// What it costs a business transaction to send a job.
enum EnqueueCases {
    static let writers = 16

    private static let rawInsert = """
        \\set n random(1, 1000000)
        insert into raw_job (args) values (jsonb_build_object('id', :n::bigint, 'pad', repeat('x', 76)));
        """
    private static let rawInsertNotify = """
        \\set n random(1, 1000000)
        begin;
        insert into raw_job (args) values (jsonb_build_object('id', :n::bigint, 'pad', repeat('x', 76)));
        select pg_notify('bell', 'bench');
        commit;
        """

    private static func makeRawTable(_ world: World, _ name: String) async throws {
        let owner = world.database(name, pool: 1)
        try await owner.execute(
            """
            create table raw_job (
                id bigint generated always as identity primary key,
                queue text not null default 'default',
                run_at timestamptz not null default now(),
                args jsonb not null
            )
            """)
        await owner.shutdown()
    }

    /// Each job in a statement of its own, which is its transaction.
    private static func sendRate(_ world: World, _ bench: BenchBus) async throws -> Double {
        try await rate(clients: self.writers, seconds: world.seconds, on: world.reactor) { _ in
            try await bench.bus.send(NoOp(id: .random(in: 1...1_000_000)))
        }
    }

    /// Each job in a transaction that could hold more: begin, send and commit in one round trip.
    private static func transactionRate(_ world: World, _ bench: BenchBus) async throws -> Double {
        try await rate(clients: self.writers, seconds: world.seconds, on: world.reactor) { _ in
            _ = try await bench.database.transaction { transaction in
                try await bench.bus.send(NoOp(id: .random(in: 1...1_000_000)), in: transaction)
            }
        }
    }

    /// The raw INSERT through our client: what the client costs, without the queue.
    private static func insertRate(_ world: World, _ database: Database) async throws -> Double {
        try await rate(clients: self.writers, seconds: world.seconds, on: world.reactor) { _ in
            let job = NoOp(id: .random(in: 1...1_000_000))
            try await database.execute("insert into raw_job (args) values (\(JSONB(job)))")
        }
    }

    /// The contract for producers in any language, through pgbench: what the queue costs, without our client.
    private static func sendScript(_ bench: BenchBus) async throws -> String {
        let queue = try await bench.database.one("select id from queue.resolve(array[\(NoOp.queue.text)])")
            .value(at: 0, as: Int16.self)
        return """
            \\set n random(1, 1000000)
            select queue.send(
                \(queue)::smallint, 'bench.no-op', 1::smallint,
                jsonb_build_object('id', :n::bigint, 'pad', repeat('x', 76)));
            """
    }

    /// Target A: a durable transaction that sends one job, against a durable INSERT of the same payload.
    static func single(_ world: World) async throws {
        try await BenchBus.with(world, "bench_enqueue", pool: self.writers) { bench in
            try await self.makeRawTable(world, "bench_enqueue")
            let pgbench = world.pgbench("bench_enqueue")
            let owner = world.database("bench_enqueue", pool: self.writers)
            let sendScript = try await self.sendScript(bench)
            func scripted(_ script: String) async throws -> Double {
                try await pgbench.transactionsPerSecond(script: script, clients: self.writers, seconds: world.seconds)
            }
            let values = try await Interleaved.medians(
                rounds: world.rounds,
                [
                    { try await scripted(self.rawInsert) }, { try await self.sendRate(world, bench) },
                    { try await scripted(sendScript) }, { try await self.insertRate(world, owner) },
                    { try await self.transactionRate(world, bench) },
                ])
            let notifying = try await withListener(world, bench) { try await scripted(self.rawInsertNotify) }
            await owner.shutdown()
            let conditions = world.conditions.with(["writers": "\(self.writers)", "payload": "100 B of jsonb"])
            func add(
                _ target: String, _ name: String, _ value: Double, raw: Double = values[0],
                rawName: String = "pgbench, one INSERT", goal: Figure.Goal? = nil
            ) throws {
                try world.report.add(
                    Figure(
                        target, name, value, "tx/s", raw: raw, rawName: rawName, goal: goal, conditions: conditions))
            }
            try add("A", "enqueue by the bus, one statement, 16 writers", values[1], goal: .ratio(atLeast: 0.9))
            try add("A-tx", "the same in a transaction", values[4], goal: .ratio(atLeast: 0.9))
            try add("A-sql", "queue.send by pgbench: any language", values[2], goal: .ratio(atLeast: 0.9))
            try add("A-client", "that INSERT by our client: no queue", values[3])
            try add("A-queue", "the bus, same client", values[1], raw: values[3], rawName: "our client, one INSERT")
            try add("A-notify", "that INSERT with NOTIFY inside", notifying)
        }
    }

    private static func withListener(_ world: World, _ bench: BenchBus, _ body: () async throws -> Double) async throws
        -> Double
    {
        let listener = Listener(
            bench.database.configuration, reactor: world.reactor, logger: world.logger)
        let bells = listener.notifications(["bell"]).makeAsyncIterator()
        _ = await bells.next()
        let result = try await body()
        await listener.shutdown()
        return result
    }

    /// Target F: the same with a worker asleep, so that every lull is rung for, with 50 idle listeners and with none.
    static func listeners(_ world: World) async throws {
        try await BenchBus.with(world, "bench_listeners", pool: self.writers) { bench in
            let owner = world.database("bench_listeners", pool: 1)
            let result = try await bench.working([.transactional(NoOp.self) { _, _, _ in }]) {
                try await bench.pause(owner)
                return try await Interleaved.measure(rounds: world.rounds) {
                    try await self.withIdleListeners(50, world, bench) { try await self.sendRate(world, bench) }
                } raw: {
                    try await self.sendRate(world, bench)
                }
            }
            await owner.shutdown()
            try world.report.add(
                Figure(
                    "F", "enqueue with 50 idle listeners", result.ours.median, "tx/s", raw: result.raw.median,
                    rawName: "without listeners", goal: .ratio(atLeast: 0.97),
                    conditions: world.conditions.with(["writers": "\(self.writers)"])))
        }
    }

    private static func withIdleListeners<R: Sendable>(
        _ count: Int, _ world: World, _ bench: BenchBus, _ body: () async throws -> R
    ) async throws -> R {
        var listeners: [Listener] = []
        for number in 0..<count {
            let listener = Listener(
                bench.database.configuration, reactor: world.reactor, logger: world.logger)
            let bells = listener.notifications(["idle_\(number)"]).makeAsyncIterator()
            _ = await bells.next()
            listeners.append(listener)
        }
        let result = try await body()
        for listener in listeners { await listener.shutdown() }
        return result
    }
}

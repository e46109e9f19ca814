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

    private static func sendRate(_ world: World, _ bench: BenchBus) async throws -> Double {
        try await rate(clients: self.writers, seconds: world.seconds, on: world.reactor) { _ in
            _ = try await bench.database.transaction { transaction in
                try await bench.bus.send(NoOp(id: .random(in: 1...1_000_000)), in: transaction)
            }
        }
    }

    /// Target A: a durable transaction that sends one job, against a durable INSERT of the same payload.
    static func single(_ world: World) async throws {
        try await BenchBus.with(world, "bench_enqueue", pool: self.writers) { bench in
            try await self.makeRawTable(world, "bench_enqueue")
            let pgbench = world.pgbench("bench_enqueue")
            let result = try await Interleaved.measure(rounds: world.rounds) {
                try await self.sendRate(world, bench)
            } raw: {
                try await pgbench.transactionsPerSecond(
                    script: self.rawInsert, clients: self.writers, seconds: world.seconds)
            }
            let notifying = try await withListener(world, bench) {
                try await pgbench.transactionsPerSecond(
                    script: self.rawInsertNotify, clients: self.writers, seconds: world.seconds)
            }
            let conditions = world.conditions.with(["writers": "\(self.writers)", "payload": "100 B of jsonb"])
            try world.report.add(
                Figure(
                    "A", "1-row durable enqueue, \(self.writers) writers", result.ours.median, "tx/s",
                    raw: result.raw.median, rawName: "pgbench, one INSERT", goal: .ratio(atLeast: 0.85),
                    conditions: conditions))
            try world.report.add(
                Figure(
                    "A'", "for comparison: the INSERT with NOTIFY in its transaction", notifying, "tx/s",
                    raw: result.raw.median, rawName: "pgbench, one INSERT", conditions: conditions))
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
                    rawName: "without listeners", goal: .ratio(atLeast: 0.95),
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

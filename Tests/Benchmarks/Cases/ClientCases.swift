import Kernel
import Postgres

/// The libpq client against what pgbench does with the same server: primary-key reads and pipelined inserts.
enum ClientCases {
    static func select(_ world: World) async throws {
        let clients = 8
        try await world.withFreshDatabase("bench_select") { name in
            let pgbench = world.pgbench(name)
            try await pgbench.initialise(scale: 10)
            let database = world.database(name, pool: clients)
            let result = try await Interleaved.measure(rounds: world.rounds) {
                try await rate(clients: clients, seconds: world.seconds, on: world.reactor) { _ in
                    let account = Int32.random(in: 1...1_000_000)
                    _ = try await database.one("select abalance from pgbench_accounts where aid = \(account)")
                        .decode(Int32.self)
                }
            } raw: {
                try await pgbench.transactionsPerSecond(clients: clients, seconds: world.seconds, arguments: ["-S"])
            }
            await database.shutdown()
            try world.report.add(
                Figure(
                    "client", "primary-key SELECT, \(clients) connections", result.ours.median, "/s",
                    raw: result.raw.median, rawName: "pgbench -S -M prepared -c \(clients)", goal: .ratio(atLeast: 0.8),
                    conditions: world.conditions.with(["scale": "10"])))
        }
    }

    static func pipeline(_ world: World) async throws {
        let statements = 50
        try await world.withFreshDatabase("bench_pipeline") { name in
            let database = world.database(name, pool: 1)
            try await database.execute("create table item (id bigint primary key, note text not null)")
            let counter = Counter()
            @Sendable func inserts() -> [SQL] {
                (0..<statements).map { _ in
                    "insert into item (id, note) values (\(counter.next()), \("a note of some length"))"
                }
            }
            let result = try await Interleaved.measure(rounds: world.rounds) {
                try await rate(clients: 1, seconds: world.seconds, on: world.reactor) { _ in
                    let batch = inserts()
                    try await database.transaction { transaction in _ = try await transaction.pipeline(batch) }
                }
            } raw: {
                try await rate(clients: 1, seconds: world.seconds, on: world.reactor) { _ in
                    let batch = inserts()
                    try await database.transaction { transaction in
                        for statement in batch { try await transaction.execute(statement) }
                    }
                }
            }
            await database.shutdown()
            let perTransaction = Double(statements)
            try world.report.add(
                Figure(
                    "client", "\(statements) inserts in a pipeline, one transaction",
                    result.ours.median * perTransaction,
                    "rows/s", raw: result.raw.median * perTransaction, rawName: "one by one", goal: .ratio(atLeast: 3),
                    conditions: world.conditions))
        }
    }
}

import FoundationEssentials
import JobQueue
import Kernel
import Postgres

/// Target B: many jobs at a time, against COPY of the same payload into one table with a primary key.
enum BulkCase {
    private static let jobs = 100_000
    private static let perTransaction = 5000

    static func run(_ world: World) async throws {
        let file = "/tmp/club-bench-copy-\(UUID().uuidString.prefix(8)).tsv"
        try Self.lines.write(toFile: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: file) }
        let clock = ContinuousClock()
        let result = try await Interleaved.measure(rounds: world.rounds) {
            try await BenchBus.with(world, "bench_bulk", pool: 2) { bench in
                let elapsed = try await clock.measure {
                    try await bench.preload(Self.jobs, perTransaction: Self.perTransaction)
                }
                return Double(Self.jobs) / elapsed.inSeconds
            }
        } raw: {
            try await Self.copyRate(world, file)
        }
        try world.report.add(
            Figure(
                "B", "bulk enqueue by the bus, \(Self.perTransaction) a transaction", result.ours.median, "jobs/s",
                raw: result.raw.median, rawName: "psql \\copy, one indexed table", goal: .ratio(atLeast: 0.6),
                conditions: world.conditions.with(["jobs": "\(Self.jobs)", "payload": "100 B of jsonb"])))
    }

    private static var lines: String {
        let pad = String(repeating: "x", count: 76)
        return (0..<Self.jobs).map { "\($0)\tdefault\t{\"id\": \($0), \"pad\": \"\(pad)\"}\n" }.joined()
    }

    private static func copyRate(_ world: World, _ file: String) async throws -> Double {
        try await world.withFreshDatabase("bench_raw_copy") { name in
            let database = world.database(name, pool: 1)
            try await database.execute(
                "create table copied (id bigint primary key, queue text not null, args jsonb not null)")
            await database.shutdown()
            let clock = ContinuousClock()
            let elapsed = try await clock.measure {
                try await world.pgbench(name).psql("\\copy copied from '\(file)'")
            }
            return Double(Self.jobs) / elapsed.inSeconds
        }
    }
}

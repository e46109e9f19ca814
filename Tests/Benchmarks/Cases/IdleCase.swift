import JobQueue
import Kernel
import Postgres

/// Something that never happens.
struct Nothing: Event {
    static let name = "bench.nothing"
}

/// Target M: what 14 processes of 7 services with 64 queues ask of the database while there is nothing to do. The
/// processes are buses with connections of their own, in this one.
enum IdleCase {
    private static let database = "bench_idle"
    private static let services: [ServiceName] = [
        "bench_a", "bench_b", "bench_c", "bench_d", "bench_e", "bench_f", "bench_g",
    ]
    private static let queues = 64

    static func run(_ world: World) async throws {
        try await BenchBus.with(world, self.database) { bench in
            let owner = world.database(self.database, pool: 1)
            try await BenchBus.makeRoles(self.services, owner)
            let processes = (0..<14).map { number in
                (
                    bus: BenchBus(
                        conninfo: bench.database.configuration.conninfo, reactor: world.reactor, logger: world.logger,
                        pool: 4, service: self.services[number / 2]),
                    queues: self.queueNames(of: number / 2)
                )
            }
            let seconds = max(15, world.seconds * 4)
            let perSecond = try await self.running(processes[...]) {
                try await bench.waitForWorkers(14, seenBy: owner)
                // Polls grow rarer for some seconds when nothing comes.
                try await Task.sleep(for: .seconds(10))
                let before = try await ServerCounters.read(world, database: self.database)
                try await Task.sleep(for: .seconds(seconds))
                let after = try await ServerCounters.read(world, database: self.database)
                return Double((after - before).commits) / (Double(seconds) + ServerCounters.pause)
            }
            for process in processes { await process.bus.shutdown() }
            await owner.shutdown()
            try world.report.add(
                Figure(
                    "M", "transactions of 14 idle processes, 64 queues", perSecond, "/s", goal: .value(atMost: 30),
                    conditions: world.conditions.with([
                        "length": "\(seconds) s", "counted": "xact_commit; each statement is one",
                    ])))
        }
    }

    private static func queueNames(of service: Int) -> [QueueName] {
        (0..<self.queues).filter { $0 % self.services.count == service }
            .compactMap { QueueName("\(self.services[service]).queue_\($0)") }
    }

    private static func running(
        _ processes: ArraySlice<(bus: BenchBus, queues: [QueueName])>,
        _ body: @escaping @Sendable () async throws -> Double
    ) async throws -> Double {
        guard let first = processes.first else { return try await body() }
        return try await first.bus.running(
            queues: first.queues.map { QueueDeclaration($0) },
            handlers: first.queues.map { .transactional(Nothing.self, on: $0) { _, _, _ in } }
        ) {
            try await self.running(processes.dropFirst(), body)
        }
    }
}

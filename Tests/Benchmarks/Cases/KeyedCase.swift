import JobQueue
import Kernel
import Postgres

/// A command whose key has to be kept in order.
struct Keyed: Command {
    static let name = "bench.keyed"
    static let queue: QueueName = "bench.keyed"
    var id: Int64
    var key: String
    var isStuck = false
    var pad = String(repeating: "x", count: 60)

    var orderingKey: String? { self.key }
}

/// Target G: jobs of a thousand keys, one at a time and in order for each key, while 100,000 others are blocked behind
/// two keys whose first job does not end, against the same without those.
enum KeyedCase {
    private static let database = "bench_keyed"
    private static let jobs = 10_000
    private static let keys = 1000
    private static let blocked = 100_000

    static func run(_ world: World) async throws {
        let result = try await Interleaved.measure(rounds: world.rounds) {
            try await self.rate(world, blocked: self.blocked)
        } raw: {
            try await self.rate(world, blocked: 2)
        }
        try world.report.add(
            Figure(
                "G", "keyed jobs with \(self.blocked) blocked behind 2 keys", result.ours.median, "jobs/s",
                raw: result.raw.median, rawName: "the 2 keys hold one job each", goal: .ratio(atLeast: 0.9),
                conditions: world.conditions.with([
                    "jobs": "\(self.jobs)", "keys": "\(self.keys)", "handler": "transactional, one at a time",
                    "slots": "10, of which 2 are held",
                ])))
    }

    private static func rate(_ world: World, blocked: Int) async throws -> Double {
        try await BenchBus.with(world, self.database) { bench in
            let owner = world.database(self.database, pool: 1)
            let done = Countdown(self.jobs)
            let release = Countdown(1)
            let handler = Handler.transactional(Keyed.self) { message, _, transaction in
                if message.isStuck { return await release.reachesZero() }
                transaction.afterCommit { done.count() }
            }
            let queue = QueueDeclaration(Keyed.queue, lease: .seconds(300), slots: 10, order: .byKey(atATime: 1))
            let rate = try await bench.running(queues: [queue], handlers: [handler]) {
                try await bench.waitForWorkers(1, seenBy: owner)
                let stuck = (0..<blocked).map { Keyed(id: Int64($0), key: "stuck-\($0 % 2)", isStuck: true) }
                try await bench.sendAll(stuck)
                while try await owner.one("select count(*) from queue.arrival").value(at: 0, as: Int64.self) > 0 {
                    try await Task.sleep(for: .milliseconds(20))
                }
                let jobs = (0..<self.jobs).map { Keyed(id: Int64($0), key: "key-\($0 % self.keys)") }
                let clock = ContinuousClock()
                let elapsed = try await clock.measure {
                    try await bench.sendAll(jobs)
                    await done.reachesZero()
                }
                release.count()
                return Double(self.jobs) / elapsed.inSeconds
            }
            await owner.shutdown()
            return rate
        }
    }
}

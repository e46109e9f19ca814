import JobQueue
import Kernel
import Postgres

/// Target H: a snapshot that stays open, as that of a dump does, keeps dead rows from being cleaned away. The queue works
/// at its most, in batches, with such a snapshot and without; the last third of each run is compared.
///
/// The short form of a run of an hour: a minute each, so what takes longer to show does not show.
enum SnapshotCase {
    private static let backlog = 5000

    static func run(_ world: World) async throws {
        let seconds = max(60, world.seconds)
        let without = try await self.lastThird(world, seconds: seconds, isPinned: false)
        let with = try await self.lastThird(world, seconds: seconds, isPinned: true)
        let conditions = world.conditions.with([
            "length": "\(seconds) s each, the last third counts", "load": "the most, batches of 500",
        ])
        try world.report.add(
            Figure(
                "H", "jobs under a pinned snapshot", with, "jobs/s", raw: without, rawName: "without the snapshot",
                goal: .ratio(atLeast: 0.95), conditions: conditions))
    }

    private static func lastThird(_ world: World, seconds: Int, isPinned: Bool) async throws -> Double {
        try await BenchBus.with(world, "bench_snapshot") { bench in
            guard isPinned else { return try await self.churn(bench, seconds) }
            var configuration = world.database("bench_snapshot", pool: 1).configuration
            configuration.idleInTransactionTimeout = .zero
            let analyst = Database(configuration, reactor: world.reactor, logger: world.logger)
            let result = try await analyst.transaction(isolation: .repeatableRead, readOnly: true) { transaction in
                try await transaction.execute("select count(*) from queue.job")
                return try await self.churn(bench, seconds)
            }
            await analyst.shutdown()
            return result
        }
    }

    /// Jobs a second in the last third of the time, while two senders keep a backlog.
    private static func churn(_ bench: BenchBus, _ seconds: Int) async throws -> Double {
        let sent = Counter()
        let done = Counter()
        let clock = ContinuousClock()
        let start = clock.now
        let end = start.advanced(by: .seconds(seconds))
        let worker = Handler.batch(NoOp.self, limit: 500) { jobs, transaction in
            let count = Int64(jobs.count)
            transaction.afterCommit { done.add(count) }
        }
        return try await bench.working([worker], slots: 2) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<2 {
                    group.addTask {
                        while clock.now < end {
                            guard sent.count - done.count < Int64(self.backlog) else {
                                try await Task.sleep(for: .milliseconds(2))
                                continue
                            }
                            sent.add(500)
                            let jobs = (0..<500).map { NoOp(id: $0) }
                            _ = try await bench.database.transaction { transaction in
                                try await bench.bus.send(contentsOf: jobs, in: transaction)
                            }
                        }
                    }
                }
                try await clock.sleep(until: start.advanced(by: .seconds(seconds * 2 / 3)))
                let (before, began) = (done.count, clock.now)
                try await clock.sleep(until: end)
                let rate = Double(done.count - before) / (clock.now - began).inSeconds
                try await group.waitForAll()
                return rate
            }
        }
    }
}

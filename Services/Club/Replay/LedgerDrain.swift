import JobQueue
import Kernel
import Postgres

/// Waits until the ledger has posted everything that it was sent.
struct LedgerDrain: Sendable {
    let database: Database
    let retries: Retries

    private static let queue: QueueName = "ledger.receipts"
    private static let pause = Duration.milliseconds(100)

    /// - Throws: ``CommandFailure`` (1) when some of it is dead: it will not be posted by itself.
    func wait() async throws {
        var bar: ProgressBar?
        var left = 0
        defer { bar?.finish() }
        while true {
            let depth = try await self.retries.run("the database does not answer") {
                try await QueueAdministration(self.database).stats(of: Self.queue)
            }
            guard let depth, depth.ready + depth.deferred + depth.running > 0 else {
                guard let dead = depth?.dead, dead > 0 else { return }
                throw CommandFailure(
                    .checkFailed, "\(dead) receipts are dead letters: `club queue dead \(Self.queue)`.")
            }
            let now = depth.ready + depth.deferred + depth.running
            if bar == nil { bar = ProgressBar("Postings", total: now) }
            if now < left { bar?.advance(by: left - now) }
            left = now
            try await Task.sleep(for: Self.pause)
        }
    }
}

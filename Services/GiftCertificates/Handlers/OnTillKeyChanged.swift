import Contracts
import JobQueue
import Kernel
import Postgres

/// Keeps the projection of till keys.
struct OnTillKeyChanged: Sendable {
    private let keys = TillKeyStore()

    func callAsFunction(_ jobs: [Job<TillKeyChanged>], in transaction: borrowing Transaction) async throws {
        // In the order of their ids, so that two batches that share keys cannot wait for each other.
        for key in jobs.map({ TillKeyStore.Key($0.message.key) }).sorted(by: { $0.id < $1.id }) {
            try await self.keys.upsert(key, in: transaction)
        }
    }
}

import Contracts
import JobQueue
import Kernel
import Postgres
import Web

/// Keeps the projection of till keys.
struct OnTillKeyChanged: Sendable {
    private let keys = TillKeyProjection(schema: PromotionsModule.name)

    func callAsFunction(_ jobs: [Job<TillKeyChanged>], in transaction: borrowing Transaction) async throws {
        try await self.keys.upsert(jobs.map { TillKeyProjection.Entry($0.message.key) }, in: transaction)
    }
}

extension TillKeyProjection.Entry {
    /// As auth tells it.
    init(_ record: TillKeyRecord) {
        let key = TillKey(
            id: record.id, hash: Array(record.hash), store: record.store, scopes: Set(record.scopes),
            revoked: record.revoked)
        self.init(key: key, changedAt: record.changedAt)
    }
}

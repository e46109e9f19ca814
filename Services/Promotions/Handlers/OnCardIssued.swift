import Contracts
import JobQueue
import Kernel
import Postgres

/// Keeps the projection of cards.
struct OnCardIssued: Sendable {
    private let cards = CardStore()

    func callAsFunction(_ jobs: [Job<CardIssued>], in transaction: borrowing Transaction) async throws {
        let cards = jobs.map { job in
            CardStore.Card(number: job.message.card, member: job.message.member, issuedAt: job.message.issuedAt)
        }
        try await self.cards.upsert(cards, in: transaction)
    }
}

/// Notes which cards are no longer good: what is bought with them from then on earns nothing.
struct OnCardBlocked: Sendable {
    private let cards = CardStore()

    func callAsFunction(_ jobs: [Job<CardBlocked>], in transaction: borrowing Transaction) async throws {
        try await self.cards.block(
            jobs.map { ($0.message.card, $0.message.member, $0.message.blockedAt) }, in: transaction)
    }
}

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

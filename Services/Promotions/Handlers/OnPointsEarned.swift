import Contracts
import JobQueue
import Kernel
import Postgres

/// Notes on the receipts when the ledger posted them.
struct OnPointsEarned: Sendable {
    private let receipts = ReceiptStore()

    func callAsFunction(_ jobs: [Job<PointsEarned>], in transaction: borrowing Transaction) async throws {
        let postings = jobs.map { job in
            ReceiptStore.Posting(
                receipt: job.message.receipt, member: job.message.member, soldAt: job.message.effectiveAt,
                postedAt: job.message.recordedAt)
        }
        try await self.receipts.markPosted(postings, in: transaction)
    }
}

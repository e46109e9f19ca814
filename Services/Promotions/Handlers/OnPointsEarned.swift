import Contracts
import JobQueue
import Kernel
import Postgres

/// Notes on the receipts when the ledger posted them, and brings the returns to the books that waited for that.
struct OnPointsEarned: Sendable {
    private let receipts = ReceiptStore()
    private let returns = ReturnStore()
    private let settle: SettleReturns

    init(settle: SettleReturns) {
        self.settle = settle
    }

    func callAsFunction(_ jobs: [Job<PointsEarned>], in transaction: borrowing Transaction) async throws {
        let postings = jobs.map { job in
            ReceiptStore.Posting(
                receipt: job.message.receipt, member: job.message.member, soldAt: job.message.effectiveAt,
                postedAt: job.message.recordedAt)
        }
        try await self.receipts.markPosted(postings, in: transaction)
        for goods in try await self.returns.waiting(for: postings.map(\.receipt), in: transaction) {
            try await self.settle(goods, in: transaction)
        }
    }
}

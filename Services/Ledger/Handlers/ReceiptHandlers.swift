internal import Contracts
internal import JobQueue
internal import Kernel

/// Hears of accepted receipts.
struct ReceiptHandlers: Sendable {
    /// A receipt must not be skipped, and only promotions accepts them. It gathers no longer than a member feels who looks
    /// for the points.
    static let queue = QueueDeclaration(
        PostReceipt.queue, onDead: .block, gather: .milliseconds(25), producers: ["promotions"])

    /// Receipts in one transaction. More would not post faster and would lock their members for longer.
    static let batchLimit = 500

    let postReceipts: PostReceipts

    var all: [Handler] {
        [
            .batch(PostReceipt.self, limit: Self.batchLimit) { jobs, transaction in
                try await self.postReceipts(jobs.map(\.message), in: transaction)
            }
        ]
    }
}

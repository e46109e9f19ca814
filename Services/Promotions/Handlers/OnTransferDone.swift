import Contracts
import JobQueue
import Kernel
import Postgres

/// Notes what became of returns and stickers in the books. What other services asked for is passed over.
struct OnTransferDone: Sendable {
    private let returns = ReturnStore()
    private let stickers = StickerStore()

    func callAsFunction(_ jobs: [Job<TransferDone>], in transaction: borrowing Transaction) async throws {
        for job in jobs.sorted(by: { $0.message.transfer.key < $1.message.transfer.key }) {
            let (result, refusal): (TransferResult?, String?) =
                switch job.message.outcome {
                case .done(let result): (result, nil)
                case .refused(let refusal): (nil, refusal.rawValue)
                }
            switch job.message.transfer {
            case .return(let goods):
                try await self.returns.finish(
                    GoodsReturn.ID(goods.id.raw), clawedBack: result?.clawedBack, restored: result?.restored,
                    refusal: refusal, in: transaction)
            case .stickers(let move):
                try await self.stickers.finish(move.id, refusal: refusal, in: transaction)
            default: continue
            }
        }
    }
}

extension Transfer {
    /// An order for locks: two batches touch the rows that they share in the same order.
    fileprivate var key: String {
        switch self {
        case .return(let goods): goods.id.description
        case .stickers(let move): move.id.description
        default: ""
        }
    }
}

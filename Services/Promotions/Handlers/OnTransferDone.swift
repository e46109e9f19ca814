import Contracts
import JobQueue
import Kernel
import Postgres

/// Notes what became of returns and stickers in the books. A return that is done takes stickers and coupons with it. What other
/// services asked for is passed over.
struct OnTransferDone: Sendable {
    private let returns = ReturnStore()
    private let stickers = StickerStore()
    private let takeBack: TakeBackExtras

    init(takeBack: TakeBackExtras) { self.takeBack = takeBack }

    func callAsFunction(_ jobs: [Job<TransferDone>], in transaction: borrowing Transaction) async throws {
        var returned: Set<Receipt.ID> = []
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
                if refusal == nil { returned.insert(goods.receipt) }
            case .stickers(let move):
                try await self.stickers.finish(move.id, refusal: refusal, in: transaction)
                if refusal == TransferRefusal.insufficientStickers.rawValue {
                    try await self.takeBack.split(move.id, in: transaction)
                } else if refusal == nil, move.count > 0 {
                    try await self.takeBack.collect(after: move.id, in: transaction)
                }
            default: continue
            }
        }
        try await self.takeBack(returned, in: transaction)
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

import Contracts
import JobQueue
import Kernel
import Postgres

/// Gives what receipts bring beside points: stickers go into the books, coupons into the member's wallet.
struct GiveExtras: Sendable {
    private let bus: Bus
    private let ids: IDGenerator
    private let stickers = StickerStore()
    private let coupons = CouponStore()
    private let gifts = GiftStore()

    init(bus: Bus, ids: IDGenerator) {
        (self.bus, self.ids) = (bus, ids)
    }

    /// In the receipts' transaction, so that there are stickers if and only if there is the receipt.
    func callAsFunction(_ receipts: [JudgedReceipt], in transaction: borrowing Transaction) async throws {
        let gifted = receipts.filter { !$0.evaluation.stickers.isEmpty || !$0.evaluation.coupons.isEmpty }
        guard !gifted.isEmpty else { return }
        try await self.gifts.insert(gifted, in: transaction)
        var moves: [StickerStore.Move] = []
        for receipt in gifted {
            moves += receipt.evaluation.stickers.map { gift in
                StickerStore.Move(
                    id: self.ids.next(), member: receipt.member, campaign: gift.campaign, count: gift.count,
                    receipt: receipt.id, rule: gift.rule)
            }
            for gift in receipt.evaluation.coupons {
                _ = try await self.coupons.issue(
                    of: gift.campaign, as: self.ids.next(), to: receipt.member, for: receipt.id, at: receipt.acceptedAt,
                    in: transaction)
            }
        }
        guard let now = gifted.first?.acceptedAt, !moves.isEmpty else { return }
        try await self.stickers.insert(moves, at: now, in: transaction)
        try await self.bus.send(contentsOf: moves.map { PostTransfer(.stickers($0.message)) }, in: transaction)
    }
}

extension StickerStore.Move {
    /// As the books are asked for it.
    var message: MoveStickers {
        MoveStickers(
            id: self.id, member: self.member, campaign: self.campaign, count: self.count,
            subject: self.receipt.map { LedgerTransfer.ID($0.raw) })
    }
}

import Contracts
import JobQueue
import Kernel
import Postgres

/// Exchanges stickers for a coupon. The coupon's place is taken and the attempt written before the books are asked; a
/// request that heard nothing is repeated with the same Idempotency-Key and goes on with the attempt.
struct ExchangeStickers: Sendable {
    private let database: Database
    private let bus: Bus
    private let clock: any WallClock
    private let ids: IDGenerator
    private let exchanges = ExchangeStore()
    private let coupons = CouponStore()
    private let wallet = WalletStore()

    init(database: Database, bus: Bus, clock: any WallClock, ids: IDGenerator) {
        (self.database, self.bus, self.clock, self.ids) = (database, bus, clock, ids)
    }

    /// The coupon, and whether it was given before.
    ///
    /// - Throws: `CouponRefusal`.
    func callAsFunction(
        _ campaign: CouponCampaign.ID, for member: Member.ID, key: IdempotencyKey
    ) async throws -> (coupon: WalletCoupon, isRepeated: Bool) {
        let earlier = try await self.exchanges.find(of: member, key: key, in: self.database)
        let attempt = if let earlier { earlier } else { try await self.begin(campaign, for: member, key: key) }
        guard attempt.campaign == campaign else { throw CouponRefusal.keyReused }
        switch attempt.state {
        case .placing: return (try await self.finish(attempt, for: member), false)
        case .refused: throw CouponRefusal.insufficientStickers
        case .done:
            guard let id = attempt.coupon, let coupon = try await self.wallet.find(id, of: member, in: self.database)
            else { throw CouponRefusal.unknown }
            return (coupon, true)
        }
    }

    private func begin(
        _ campaign: CouponCampaign.ID, for member: Member.ID, key: IdempotencyKey
    ) async throws -> ExchangeStore.Attempt {
        let attempt = ExchangeStore.Attempt(
            id: self.ids.next(), campaign: campaign, state: .placing, coupon: nil)
        guard try await self.coupons.find(campaign, in: self.database) != nil else { throw CouponRefusal.unknown }
        let now = self.clock.now
        let isNew = try await self.database.transaction { transaction in
            guard try await self.exchanges.insert(attempt, of: member, key: key, at: now, in: transaction) else {
                return false
            }
            let taken = try await self.coupons.reserve(campaign, for: member, counting: 1, at: now, in: transaction)
            guard case .stickers = taken.source else { throw CouponRefusal.unknown }
            return true
        }
        if isNew { return attempt }
        guard let twin = try await self.exchanges.find(of: member, key: key, in: self.database) else {
            throw CouponRefusal.undecided
        }
        return twin
    }

    private func finish(_ attempt: ExchangeStore.Attempt, for member: Member.ID) async throws -> WalletCoupon {
        guard let campaign = try await self.coupons.find(attempt.campaign, in: self.database),
            case .stickers(let stickers, let price) = campaign.source
        else { throw CouponRefusal.unknown }
        let move = MoveStickers(
            id: attempt.id, member: member, campaign: stickers, count: -price, subject: attempt.id)
        let outcome: TransferOutcome
        do {
            outcome = try await self.bus.call(MakeTransfer(.stickers(move)))
        } catch is CallError {
            throw CouponRefusal.undecided
        }
        let (now, id) = (self.clock.now, Coupon.ID(attempt.id.raw))
        if case .refused(let refusal) = outcome {
            try await self.database.transaction { transaction in
                guard try await self.exchanges.refuse(attempt.id, refusal.rawValue, in: transaction) else { return }
                try await self.coupons.release(campaign.id, in: transaction)
            }
            throw CouponRefusal.insufficientStickers
        }
        try await self.database.transaction { transaction in
            // A twin of this request may have given the coupon already.
            guard try await self.exchanges.isPlacing(attempt.id, in: transaction) else { return }
            try await self.coupons.insert(id, of: campaign, for: member, at: now, in: transaction)
            try await self.exchanges.finish(attempt.id, with: id, in: transaction)
        }
        guard let coupon = try await self.wallet.find(id, of: member, in: self.database) else {
            throw CouponRefusal.undecided
        }
        return coupon
    }
}

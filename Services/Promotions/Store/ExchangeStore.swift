import Contracts
import Kernel
import Postgres

/// Stickers that are exchanged for coupons.
struct ExchangeStore: Sendable {
    struct Attempt: Sendable {
        enum State: String, Sendable {
            case placing, done, refused
        }

        let id: LedgerTransfer.ID
        let campaign: CouponCampaign.ID
        let state: State
        let coupon: Coupon.ID?
    }

    func find(
        of member: Member.ID, key: IdempotencyKey, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> Attempt? {
        let row = try await runner.first(
            """
            select exchange_id, campaign_id, state, coupon_id
            from promotions.sticker_exchange
            where member_id = \(member) and idempotency_key = \(key.text)
            """)
        guard let row else { return nil }
        let (id, campaign, state, coupon) = try row.decode(
            LedgerTransfer.ID.self, CouponCampaign.ID.self, Attempt.State.self, Coupon.ID?.self)
        return Attempt(id: id, campaign: campaign, state: state, coupon: coupon)
    }

    /// False when the key was used before.
    func insert(
        _ attempt: Attempt, of member: Member.ID, key: IdempotencyKey, at now: Timestamp,
        in transaction: borrowing Transaction
    ) async throws -> Bool {
        try await transaction.execute(
            """
            insert into promotions.sticker_exchange (
                exchange_id, member_id, idempotency_key, campaign_id, created_at
            )
            select \(attempt.id), \(member), \(key.text), campaign_id, \(now)
            from promotions.coupon_campaign
            where campaign_id = \(attempt.campaign)
            on conflict (member_id, idempotency_key) do nothing
            """) == 1
    }

    /// Locks the attempt; false when it has ended.
    func isPlacing(_ id: LedgerTransfer.ID, in transaction: borrowing Transaction) async throws -> Bool {
        try await transaction.first(
            """
            select state = 'placing'
            from promotions.sticker_exchange
            where exchange_id = \(id)
            for update
            """
        )?.decode(Bool.self) ?? false
    }

    func finish(_ id: LedgerTransfer.ID, with coupon: Coupon.ID, in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            """
            update promotions.sticker_exchange
            set state = 'done', coupon_id = \(coupon)
            where exchange_id = \(id) and state = 'placing'
            """)
    }

    /// False when the attempt has ended.
    func refuse(
        _ id: LedgerTransfer.ID, _ refusal: String, in transaction: borrowing Transaction
    ) async throws -> Bool {
        try await transaction.execute(
            """
            update promotions.sticker_exchange
            set state = 'refused', refusal = \(refusal)
            where exchange_id = \(id) and state = 'placing'
            """) == 1
    }
}

extension ExchangeStore.Attempt.State: PostgresWrapper {}

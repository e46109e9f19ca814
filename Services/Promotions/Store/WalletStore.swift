import Kernel
import Postgres

/// The coupons that members have.
struct WalletStore: Sendable {
    /// A member's coupon; nil for one of somebody else.
    func find(
        _ id: Coupon.ID, of member: Member.ID, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> WalletCoupon? {
        try await runner.first(
            """
            select
                coupon_id, coupon.campaign_id, member_id, title_ru, title_en, benefit, code, state, claimed_at,
                expires_at, used_at
            from promotions.coupon
            join promotions.coupon_campaign using (campaign_id)
            where coupon_id = \(id) and member_id = \(member)
            """, as: WalletCoupon.self)
    }

    /// A member's coupons, those taken last before the others, before `last`.
    func page(
        of member: Member.ID, before last: Coupon.ID?, limit: Int, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [WalletCoupon] {
        try await runner.query(
            """
            select
                coupon_id, coupon.campaign_id, member_id, title_ru, title_en, benefit, code, state, claimed_at,
                expires_at, used_at
            from promotions.coupon
            join promotions.coupon_campaign using (campaign_id)
            where member_id = \(member) and (\(last)::uuid is null or coupon_id < \(last))
            order by coupon_id desc
            limit \(Int64(limit))
            """, as: WalletCoupon.self)
    }

    /// A redemption that a till asked for under a key.
    struct Redemption: Sendable {
        let coupon: Coupon.ID
        let fingerprint: [UInt8]
    }

    func redemption(
        till: String, key: IdempotencyKey, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> Redemption? {
        let row = try await runner.first(
            """
            select coupon_id, fingerprint
            from promotions.coupon_redemption
            where till_key = \(till) and idempotency_key = \(key.text)
            """)
        guard let row else { return nil }
        let (coupon, fingerprint) = try row.decode(Coupon.ID.self, [UInt8].self)
        return Redemption(coupon: coupon, fingerprint: fingerprint)
    }

    /// Makes a coupon used, once for all tills: whoever comes second waits for the first and finds it used.
    ///
    /// - Returns: the coupon; nil when it is used, over or unknown.
    func use(
        _ id: Coupon.ID, by till: String, in store: StoreID, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> WalletCoupon? {
        try await transaction.first(
            """
            update promotions.coupon
            set state = 'used', used_at = \(now), used_by = \(till), store_id = \(store)
            from promotions.coupon_campaign as campaign
            where coupon_id = \(id) and state = 'claimed' and \(now) < expires_at
                and campaign.campaign_id = coupon.campaign_id
            returning
                coupon_id, coupon.campaign_id, member_id, title_ru, title_en, benefit, code, state, claimed_at,
                expires_at, used_at
            """, as: WalletCoupon.self)
    }

    /// Whose a coupon is and whether it was used; for telling why it is not taken.
    func find(_ id: Coupon.ID, in runner: borrowing some QueryRunner & ~Copyable) async throws -> WalletCoupon? {
        try await runner.first(
            """
            select
                coupon_id, coupon.campaign_id, member_id, title_ru, title_en, benefit, code, state, claimed_at,
                expires_at, used_at
            from promotions.coupon
            join promotions.coupon_campaign using (campaign_id)
            where coupon_id = \(id)
            """, as: WalletCoupon.self)
    }

    /// Writes a redemption down; false when the nonce, the coupon or the key was used before.
    func insert(
        _ redemption: Redemption, nonce: String, till: String, key: IdempotencyKey, at now: Timestamp,
        in transaction: borrowing Transaction
    ) async throws -> Bool {
        try await transaction.execute(
            """
            insert into promotions.coupon_redemption (
                till_key, idempotency_key, fingerprint, nonce, coupon_id, redeemed_at
            )
            values (\(till), \(key.text), \(redemption.fingerprint), \(nonce), \(redemption.coupon), \(now))
            on conflict do nothing
            """) == 1
    }

    func isNonceUsed(_ nonce: String, in runner: borrowing some QueryRunner & ~Copyable) async throws -> Bool {
        try await runner.first("select from promotions.coupon_redemption where nonce = \(nonce)") != nil
    }
}

extension WalletCoupon: RowDecodable {
    init(row: Row) throws {
        self.init(
            id: try row.value("coupon_id"), campaign: try row.value("campaign_id"), member: try row.value("member_id"),
            title: Title(russian: try row.value("title_ru"), english: try row.value("title_en")),
            benefit: try row.value("benefit", as: JSONB<CouponCampaign.Benefit>.self).value,
            code: try row.value("code"), state: try row.value("state"), claimedAt: try row.value("claimed_at"),
            expiresAt: try row.value("expires_at"), usedAt: try row.value("used_at"))
    }
}

extension WalletCoupon.State: PostgresWrapper {}

extension WalletCoupon {
    /// The state as a member sees it.
    func state(at now: Timestamp) -> State { self.state == .claimed && self.expiresAt <= now ? .expired : self.state }
}

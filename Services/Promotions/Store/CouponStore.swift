import Kernel
import Postgres

/// Coupons and the campaigns that they belong to.
struct CouponStore: Sendable {
    /// Takes one of a campaign's coupons for a member: the counter first, whose row then belongs to this transaction, so
    /// that everybody who takes one at the same moment is counted one after the other.
    ///
    /// - Parameter own: how many of the member's exchanges under way are this one.
    /// - Throws: `CouponRefusal`; nothing is changed then, if the transaction is undone.
    func reserve(
        _ campaign: CouponCampaign.ID, for member: Member.ID, counting own: Int64 = 0, at now: Timestamp,
        in transaction: borrowing Transaction
    ) async throws -> CouponCampaign {
        let taken = try await transaction.first(
            """
            update promotions.coupon_campaign
            set claimed = claimed + 1
            where campaign_id = \(campaign) and claimed < count_max and approved_by is not null
                and starts_at <= \(now) and \(now) < ends_at
            returning
                campaign_id, code, title_ru, title_en, benefit, starts_at, ends_at, days_valid, count_max, member_max,
                source, sticker_campaign, sticker_price, drafted_by, approved_by, claimed
            """, as: CouponCampaign.self)
        guard let taken else {
            guard let known = try await self.find(campaign, in: transaction), known.approver != nil,
                known.window.from <= now
            else { throw CouponRefusal.unknown }
            throw now < known.window.to ? CouponRefusal.soldOut : CouponRefusal.over
        }
        let mine = try await transaction.one(
            """
            select
                (
                    select count(*)
                    from promotions.coupon
                    where campaign_id = \(campaign) and member_id = \(member) and state <> 'withdrawn'
                )
                + (
                    select count(*)
                    from promotions.sticker_exchange
                    where campaign_id = \(campaign) and member_id = \(member) and state = 'placing'
                )
            """
        ).decode(Int64.self)
        guard mine - own < taken.memberMax else { throw CouponRefusal.memberLimit }
        return taken
    }

    /// Gives a place back that was reserved.
    func release(_ campaign: CouponCampaign.ID, in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            "update promotions.coupon_campaign set claimed = claimed - 1 where campaign_id = \(campaign)")
    }

    /// Writes a coupon down whose place was reserved.
    func insert(
        _ id: Coupon.ID, of campaign: CouponCampaign, for member: Member.ID, receipt: Receipt.ID? = nil,
        at now: Timestamp, in transaction: borrowing Transaction
    ) async throws {
        let expiresAt = min(campaign.window.to, now + .seconds(campaign.daysValid * 86_400))
        try await transaction.execute(
            """
            insert into promotions.coupon (coupon_id, campaign_id, member_id, claimed_at, expires_at, receipt_id)
            values (\(id), \(campaign.id), \(member), \(now), \(expiresAt), \(receipt))
            """)
    }

    /// Gives a member a coupon of a rule's campaign; false when there is none to give.
    func issue(
        of code: String, as id: Coupon.ID, to member: Member.ID, for receipt: Receipt.ID, at now: Timestamp,
        in transaction: borrowing Transaction
    ) async throws -> Bool {
        let found = try await transaction.first(
            """
            select campaign_id
            from promotions.coupon_campaign
            where code = \(code) and source = 'rule' and claimed < count_max and approved_by is not null
                and starts_at <= \(now) and \(now) < ends_at
            for update
            """)
        guard let found else { return false }
        let campaign: CouponCampaign
        do {
            campaign = try await self.reserve(
                try found.decode(CouponCampaign.ID.self), for: member, at: now, in: transaction)
        } catch CouponRefusal.memberLimit {
            try await self.release(try found.decode(CouponCampaign.ID.self), in: transaction)
            return false
        }
        try await self.insert(id, of: campaign, for: member, receipt: receipt, at: now, in: transaction)
        return true
    }

    /// Keeps others from taking coupons of these campaigns until the transaction ends.
    func lock(_ codes: Set<String>, in transaction: borrowing Transaction) async throws {
        guard !codes.isEmpty else { return }
        try await transaction.execute(
            "select from promotions.coupon_campaign where code = any (\(codes.sorted())) order by code for update")
    }

    /// How many coupons of each of these campaigns a rule may give a member now; a campaign that is not there or not open has
    /// none.
    func left(
        of codes: Set<String>, for member: Member.ID, at now: Timestamp,
        in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [String: Int64] {
        guard !codes.isEmpty else { return [:] }
        let rows = try await runner.query(
            """
            select code, least(count_max - claimed, member_max - mine.had)
            from promotions.coupon_campaign as campaign
            cross join lateral (
                select count(*) as had
                from promotions.coupon
                where coupon.campaign_id = campaign.campaign_id and member_id = \(member) and state <> 'withdrawn'
            ) as mine
            where code = any (\(codes.sorted())) and source = 'rule' and approved_by is not null
                and starts_at <= \(now) and \(now) < ends_at
            """
        ).map { try $0.decode(String.self, Int64.self) }
        return Dictionary(rows) { $1 }
    }

    func find(
        _ id: CouponCampaign.ID, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> CouponCampaign? {
        try await runner.first(
            """
            select
                campaign_id, code, title_ru, title_en, benefit, starts_at, ends_at, days_valid, count_max, member_max,
                source, sticker_campaign, sticker_price, drafted_by, approved_by, claimed
            from promotions.coupon_campaign
            where campaign_id = \(id)
            """, as: CouponCampaign.self)
    }

    /// Campaigns that members can take coupons of now, in the order of their ids, after `last`.
    func open(
        at now: Timestamp, after last: CouponCampaign.ID?, limit: Int,
        in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [CouponCampaign] {
        try await runner.query(
            """
            select
                campaign_id, code, title_ru, title_en, benefit, starts_at, ends_at, days_valid, count_max, member_max,
                source, sticker_campaign, sticker_price, drafted_by, approved_by, claimed
            from promotions.coupon_campaign
            where approved_by is not null and starts_at <= \(now) and \(now) < ends_at and source <> 'rule'
                and (\(last)::uuid is null or campaign_id > \(last))
            order by campaign_id
            limit \(Int64(limit))
            """, as: CouponCampaign.self)
    }

    /// Writes a draft; false when the code is taken.
    func insert(_ campaign: CouponCampaign, in runner: borrowing some QueryRunner & ~Copyable) async throws -> Bool {
        let (source, stickers, price) = campaign.source.columns
        return try await runner.execute(
            """
            insert into promotions.coupon_campaign (
                campaign_id, code, title_ru, title_en, benefit, starts_at, ends_at, days_valid, count_max, member_max,
                source, sticker_campaign, sticker_price, drafted_by
            )
            values (
                \(campaign.id), \(campaign.code), \(campaign.title.russian), \(campaign.title.english),
                \(JSONB(campaign.benefit)), \(campaign.window.from), \(campaign.window.to),
                \(Int32(clamping: campaign.daysValid)), \(campaign.countMax), \(campaign.memberMax), \(source),
                \(stickers), \(price), \(campaign.author)
            )
            on conflict (code) do nothing
            """) == 1
    }

    /// False when it is approved already or there is none, or when its author asks.
    func approve(
        _ id: CouponCampaign.ID, by approver: Staff.ID, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> Bool {
        try await runner.execute(
            """
            update promotions.coupon_campaign
            set approved_by = \(approver)
            where campaign_id = \(id) and approved_by is null and drafted_by <> \(approver)
            """) == 1
    }
}

extension CouponCampaign.Source {
    fileprivate var columns: (source: String, stickers: String?, price: Int64?) {
        switch self {
        case .claim: ("claim", nil, nil)
        case .rule: ("rule", nil, nil)
        case .stickers(let campaign, let price): ("stickers", campaign, price)
        }
    }
}

extension CouponCampaign: RowDecodable {
    init(row: Row) throws {
        let stickers: String? = try row.value("sticker_campaign")
        let price: Int64? = try row.value("sticker_price")
        let source: Source =
            if let stickers, let price {
                .stickers(campaign: stickers, price: price)
            } else {
                try row.value("source", as: String.self) == "rule" ? .rule : .claim
            }
        self.init(
            id: try row.value("campaign_id"), code: try row.value("code"),
            title: Title(russian: try row.value("title_ru"), english: try row.value("title_en")),
            benefit: try row.value("benefit", as: JSONB<Benefit>.self).value,
            window: Window(from: try row.value("starts_at"), to: try row.value("ends_at")),
            daysValid: Int64(try row.value("days_valid", as: Int32.self)), countMax: try row.value("count_max"),
            memberMax: try row.value("member_max"), source: source, author: try row.value("drafted_by"),
            approver: try row.value("approved_by"), claimed: try row.value("claimed"))
    }
}

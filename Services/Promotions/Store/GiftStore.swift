import Kernel
import Postgres

/// What receipts brought beside points, and what of it goods that came back take with them.
struct GiftStore: Sendable {
    /// Keeps the facts of receipts that brought something.
    func insert(_ receipts: [JudgedReceipt], in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            """
            insert into promotions.receipt_gift (receipt_id, member_id, sold_at, facts)
            select *
            from unnest(
                \(receipts.map(\.id)), \(receipts.map(\.member)), \(receipts.map(\.receipt.sale.at)),
                \(receipts.map { JSONB(GiftFacts($0.facts)) })
            )
            """)
    }

    func erase(_ members: [Member.ID], in transaction: borrowing Transaction) async throws {
        try await transaction.execute("delete from promotions.receipt_gift where member_id = any (\(members))")
    }

    /// A receipt that brought something.
    struct Gifted: Sendable, RowDecodable {
        let receipt: Receipt.ID
        let member: Member.ID
        let soldAt: Timestamp
        let acceptedAt: Timestamp
        let store: StoreID
        let ruleset: Int64
        let facts: GiftFacts
        let card: CardNumber

        init(row: Row) throws {
            (self.receipt, self.member) = (try row.value("receipt_id"), try row.value("member_id"))
            (self.soldAt, self.acceptedAt) = (try row.value("sold_at"), try row.value("accepted_at"))
            (self.store, self.ruleset) = (try row.value("store_id"), try row.value("ruleset"))
            self.facts = try row.value("facts", as: JSONB<GiftFacts>.self).value
            self.card = try row.value("card")
        }
    }

    /// The receipt, locked against being judged anew at this moment; nil when it brought nothing beside points, or whose it
    /// was is erased.
    func lock(_ receipt: Receipt.ID, in transaction: borrowing Transaction) async throws -> Gifted? {
        try await transaction.first(
            """
            select
                receipt.receipt_id, receipt.member_id, receipt.sold_at, accepted_at, store_id, ruleset, gift.facts,
                mine.card
            from promotions.receipt_gift as gift
            join promotions.receipt as receipt
                on receipt.member_id = gift.member_id
                and receipt.sold_at = gift.sold_at
                and receipt.receipt_id = gift.receipt_id
            join lateral (
                select card from promotions.member_card as card where card.member_id = gift.member_id limit 1
            ) as mine on true
            where gift.receipt_id = \(receipt)
            for update of gift
            """, as: Gifted.self)
    }

    /// The lines as far as they were kept. What came back whole is no line any more.
    func kept(of gifted: Gifted, in transaction: borrowing Transaction) async throws -> [ReceiptLine] {
        try await transaction.query(
            """
            select
                line.position, sku, ean, category, line.quantity - back.quantity, price, discount,
                line.amount - back.amount, coalesce(tags, '{}')
            from promotions.receipt_line as line
            cross join lateral (
                select
                    coalesce(sum(part.quantity), 0)::bigint as quantity, coalesce(sum(part.amount), 0)::bigint as amount,
                    count(*) as times
                from promotions.goods_return as goods
                join promotions.goods_return_line as part using (return_id)
                where goods.receipt_id = line.receipt_id and goods.state = 'done' and part.position = line.position
            ) as back
            where line.receipt_id = \(gifted.receipt) and line.sold_at = \(gifted.soldAt)
                and (back.times = 0 or back.quantity < line.quantity)
            order by line.position
            """
        ).map { row in
            let (position, sku, ean, category, quantity, price, discount, sum, tags) = try row.decode(
                Int32.self, String.self, String?.self, String?.self, Quantity.self, Kopecks.self, Kopecks.self,
                Kopecks.self, [String].self)
            return ReceiptLine(
                position: position, sku: sku, ean: ean, category: category, quantity: quantity, price: price,
                discount: discount, sum: sum, tags: tags)
        }
    }

    /// What a rule gave for a receipt and what was taken back of it, whether the books had it or it is still owed.
    struct Given: Sendable {
        let rule: String
        let campaign: String
        let given: Int64
        let taken: Int64
    }

    func stickers(of receipt: Receipt.ID, in transaction: borrowing Transaction) async throws -> [Given] {
        try await transaction.query(
            """
            select
                rule, campaign, coalesce(sum(count) filter (where count > 0 and state <> 'refused'), 0)::bigint,
                coalesce(-sum(count) filter (where count < 0), 0)::bigint
            from promotions.sticker_move
            where receipt_id = \(receipt) and rule is not null
            group by rule, campaign
            order by rule, campaign
            """
        ).map { row in
            let (rule, campaign, given, taken) = try row.decode(String.self, String.self, Int64.self, Int64.self)
            return Given(rule: rule, campaign: campaign, given: given, taken: taken)
        }
    }

    /// Takes coupons back that a receipt brought and that nobody has used, but for so many of each campaign. Their places in
    /// the campaigns are free again.
    /// - Parameter kept: how many of a campaign the goods that were kept are worth.
    func withdraw(
        of receipt: Receipt.ID, but kept: [String: Int64], in transaction: borrowing Transaction
    ) async throws {
        let coupons = try await transaction.query(
            """
            select coupon_id, coupon.campaign_id, code, coupon.state
            from promotions.coupon
            join promotions.coupon_campaign using (campaign_id)
            where receipt_id = \(receipt)
            order by coupon_id
            for update of coupon
            """
        ).map { try $0.decode(Coupon.ID.self, CouponCampaign.ID.self, String.self, WalletCoupon.State.self) }
        for (code, coupons) in Dictionary(grouping: coupons, by: \.2).sorted(by: { $0.key < $1.key }) {
            let left = coupons.filter { $0.3 != .withdrawn }
            let tooMany = Int64(left.count) - (kept[code] ?? 0)
            for coupon in left.filter({ $0.3 == .claimed }).prefix(Int(max(0, tooMany))) {
                try await transaction.execute(
                    "update promotions.coupon set state = 'withdrawn' where coupon_id = \(coupon.0)")
                try await CouponStore().release(coupon.1, in: transaction)
            }
        }
    }
}

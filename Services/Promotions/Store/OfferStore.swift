import Kernel
import Postgres

/// Offers, and what members buy.
struct OfferStore: Sendable {
    /// Offers that are valid on a day, in the order of their ids, after `last`. A category stands for itself and the
    /// shelves below it.
    ///
    /// - Parameters:
    ///   - store: nil: those that are valid in every shop.
    ///   - segments: of the member; nil for somebody unknown.
    func valid(
        on day: CivilDate, in store: StoreID?, category: String? = nil, segments: [String]? = nil,
        after last: Offer.ID? = nil, limit: Int, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [Offer] {
        try await runner.query(
            """
            select
                offer_id, sku, product.category, product.title, title_ru, title_en, offer.old_price, offer.price,
                from_day, to_day, stores, segment
            from promotions.offer
            join promotions.product using (sku)
            where approved_by is not null and from_day <= \(day) and \(day) < to_day
                and (stores is null or \(store?.text) = any (stores))
                and (segment is null or segment = any (coalesce(\(segments), '{}')))
                and (\(last)::uuid is null or offer_id > \(last))
                and (
                    \(category)::text is null
                    or product.category in (
                        select category
                        from promotions.category
                        where category = \(category) or parent = \(category)
                    )
                )
            order by offer_id
            limit \(Int64(limit))
            """, as: Offer.self)
    }

    /// Valid offers for products, for matching a list.
    func valid(
        on day: CivilDate, for skus: [String], orTitled words: [String],
        in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [Offer] {
        try await runner.query(
            """
            select
                offer_id, sku, product.category, product.title, title_ru, title_en, offer.old_price, offer.price,
                from_day, to_day, stores, segment
            from promotions.offer
            join promotions.product using (sku)
            where approved_by is not null and from_day <= \(day) and \(day) < to_day
                and stores is null and segment is null
                and (
                    sku = any (\(skus))
                    or exists (
                        select from unnest(\(words)) as word
                        where position(lower(word) in lower(product.title)) > 0
                    )
                )
            order by offer_id
            limit 200
            """, as: Offer.self)
    }

    /// Writes a draft; false when there is no such product.
    func insert(_ offer: Offer, by author: Staff.ID, in runner: borrowing some QueryRunner & ~Copyable) async throws
        -> Bool
    {
        try await runner.execute(
            """
            insert into promotions.offer (
                offer_id, sku, title_ru, title_en, old_price, price, from_day, to_day, stores, segment, drafted_by
            )
            select
                \(offer.id), sku, \(offer.title.russian), \(offer.title.english), \(offer.oldPrice), \(offer.price),
                \(offer.from), \(offer.to), \(offer.stores), \(offer.segment), \(author)
            from promotions.product
            where sku = \(offer.sku)
            """) == 1
    }

    /// Writes an offer for each product with an old price, unless there is one that begins on the day. The ids are made of
    /// product and day, so that running it twice writes once.
    func importCatalogue(
        from: CivilDate, to: CivilDate, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> Int {
        try await runner.execute(
            """
            insert into promotions.offer (
                offer_id, sku, title_ru, title_en, old_price, price, from_day, to_day, drafted_by, approved_by
            )
            select
                md5('offer/' || sku || '/' || \(from)::date)::uuid, sku, left(title, 200), left(title, 200), old_price,
                price, \(from), \(to), md5('catalogue')::uuid, md5('import')::uuid
            from promotions.product
            where old_price > price
            on conflict (offer_id) do nothing
            """)
    }

    /// False when there is none, it is approved already, or its author asks.
    func approve(
        _ id: Offer.ID, by approver: Staff.ID, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> Bool {
        try await runner.execute(
            """
            update promotions.offer
            set approved_by = \(approver)
            where offer_id = \(id) and approved_by is null and drafted_by <> \(approver)
            """) == 1
    }

    /// What a member bought since a moment, by product and by shelf, and likes this month.
    func habits(
        of member: Member.ID, since: Timestamp, month: CivilDate, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> Habits {
        let bought = try await runner.query(
            """
            select line.sku, max(product.category), count(distinct receipt.receipt_id)
            from promotions.receipt
            join promotions.receipt_line as line
                on line.receipt_id = receipt.receipt_id and line.sold_at = receipt.sold_at
            left join promotions.product using (sku)
            where receipt.member_id = \(member) and receipt.sold_at >= \(since)
            group by line.sku
            """
        ).map { try $0.decode(String.self, String?.self, Int64.self) }
        var habits = Habits()
        for (sku, category, times) in bought {
            habits.products[sku] = times
            if let category { habits.categories[category, default: 0] += times }
        }
        let products = try await runner.query(
            "select sku from promotions.favourite_product where member_id = \(member)"
        ).map { try $0.decode(String.self) }
        var facts = [MemberFacts(member: member)]
        try await FactStore().addFavouriteCategories(
            to: &facts, months: [month],
            chosenBy: [month.firstOfNextMonth.start(offsetMinutes: LocalTime.moscowMinutes)], in: runner)
        habits.favourites = Favourites(categories: facts[0].favourites.categories, products: Set(products))
        return habits
    }

    /// A product that a member buys.
    struct Popular: Sendable {
        let sku: String
        let title: String?
        let receipts: Int64
        let lastAt: Timestamp
    }

    /// What a member buys most: receipts of the last 30, 60 and 90 days count three, two and one.
    func popular(
        with member: Member.ID, at now: Timestamp, limit: Int, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [Popular] {
        try await runner.query(
            """
            with bought as (
                select distinct
                    line.sku, receipt.receipt_id, receipt.sold_at,
                    3 - least(2, extract(day from \(now) - receipt.sold_at)::integer / 30) as weight
                from promotions.receipt
                join promotions.receipt_line as line
                    on line.receipt_id = receipt.receipt_id and line.sold_at = receipt.sold_at
                where receipt.member_id = \(member) and receipt.sold_at >= \(now - .seconds(90 * 86_400))
                    and receipt.sold_at <= \(now)
            )
            select bought.sku, max(product.title), count(*), max(bought.sold_at)
            from bought
            left join promotions.product using (sku)
            group by bought.sku
            order by sum(weight) desc, max(bought.sold_at) desc, bought.sku
            limit \(Int64(limit))
            """
        ).map { row in
            let (sku, title, receipts, lastAt) = try row.decode(
                String.self, String?.self, Int64.self, Timestamp.self)
            return Popular(sku: sku, title: title, receipts: receipts, lastAt: lastAt)
        }
    }
}

extension Offer: RowDecodable {
    init(row: Row) throws {
        self.init(
            id: try row.value("offer_id"), sku: try row.value("sku"), category: try row.value("category"),
            product: try row.value("title"),
            title: Title(russian: try row.value("title_ru"), english: try row.value("title_en")),
            oldPrice: try row.value("old_price"), price: try row.value("price"), from: try row.value("from_day"),
            to: try row.value("to_day"), stores: try row.value("stores"), segment: try row.value("segment"))
    }
}

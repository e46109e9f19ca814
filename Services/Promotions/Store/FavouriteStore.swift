import Kernel
import Postgres

/// What members have chosen to like.
struct FavouriteStore: Sendable {
    /// What is chosen for a month: its categories in their order, and since when.
    struct Choice: Sendable {
        var categories: [String] = []
        var chosenAt: Timestamp?
    }

    func choice(
        of member: Member.ID, in month: CivilDate, from runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> Choice {
        let rows = try await runner.query(
            """
            select category, chosen_at
            from promotions.favourite_category
            where member_id = \(member) and month = \(month)
            order by category
            """
        ).map { try $0.decode(String.self, Timestamp.self) }
        return Choice(categories: rows.map(\.0), chosenAt: rows.map(\.1).max())
    }

    /// Chooses categories of a month for which none are chosen yet.
    func choose(
        _ categories: [String], for member: Member.ID, in month: CivilDate, at now: Timestamp,
        in transaction: borrowing Transaction
    ) async throws -> Int {
        try await transaction.execute(
            """
            insert into promotions.favourite_category (member_id, month, category, chosen_at)
            select \(member), \(month), category, \(now)
            from promotions.category
            where category = any (\(categories))
            """)
    }

    /// Points that rules gave in a month.
    func earned(
        by rules: [String], for member: Member.ID, in month: CivilDate,
        from runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> Points {
        try await runner.one(
            """
            select coalesce(sum(points), 0)::bigint
            from promotions.rule_use
            where member_id = \(member) and rule = any (\(rules)) and period = 'month' and starts_on = \(month)
            """
        ).decode(Points.self)
    }

    /// A product that a member likes.
    struct Product: Sendable {
        let sku: String
        let title: String
        let price: Kopecks?
        let oldPrice: Kopecks?
        let addedAt: Timestamp
    }

    func products(
        of member: Member.ID, after last: String, limit: Int, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [Product] {
        try await runner.query(
            """
            select sku, title, price, old_price, added_at
            from promotions.favourite_product
            join promotions.product using (sku)
            where member_id = \(member) and sku > \(last)
            order by sku
            limit \(Int64(limit))
            """
        ).map { row in
            let (sku, title, price, oldPrice, addedAt) = try row.decode(
                String.self, String.self, Kopecks?.self, Kopecks?.self, Timestamp.self)
            return Product(sku: sku, title: title, price: price, oldPrice: oldPrice, addedAt: addedAt)
        }
    }

    /// More would be a copy of the catalogue.
    static let productsMax: Int64 = 200

    /// False when there is no such product, or the member likes very many already.
    func add(
        _ sku: String, for member: Member.ID, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> Bool {
        try await FactStore().lock(member, in: transaction)
        try await transaction.execute(
            """
            insert into promotions.favourite_product (member_id, sku, added_at, price_seen)
            select \(member), sku, \(now), price
            from promotions.product
            where sku = \(sku)
                and (select count(*) from promotions.favourite_product where member_id = \(member)) < \(Self.productsMax)
            on conflict (member_id, sku) do nothing
            """)
        return try await transaction.first(
            "select from promotions.favourite_product where member_id = \(member) and sku = \(sku)") != nil
    }

    func remove(_ sku: String, of member: Member.ID, in runner: borrowing some QueryRunner & ~Copyable) async throws {
        try await runner.execute(
            "delete from promotions.favourite_product where member_id = \(member) and sku = \(sku)")
    }

    /// A price that has become lower since a member has seen it.
    struct Drop: Sendable {
        let member: Member.ID
        let title: String
        let before: Kopecks
        let now: Kopecks
    }

    /// Takes up to `limit` lowered prices: once for each member and price, whoever asks and however often. Prices that
    /// became higher are noted with them.
    func takeDrops(
        limit: Int, in transaction: borrowing Transaction
    ) async throws -> (drops: [Drop], looked: Int) {
        let rows = try await transaction.query(
            """
            with changed as (
                select mine.member_id, mine.sku, mine.price_seen, product.price, product.title
                from promotions.favourite_product as mine
                join promotions.product using (sku)
                where product.price is distinct from mine.price_seen
                order by mine.member_id, mine.sku
                limit \(Int64(limit))
                for update of mine skip locked
            ), noted as (
                update promotions.favourite_product as mine
                set price_seen = changed.price
                from changed
                where mine.member_id = changed.member_id and mine.sku = changed.sku
            )
            select member_id, title, price_seen, price
            from changed
            """)
        let drops = try rows.compactMap { row -> Drop? in
            let (member, title, before, now) = try row.decode(
                Member.ID.self, String.self, Kopecks?.self, Kopecks?.self)
            guard let before, let now, now < before else { return nil }
            return Drop(member: member, title: title, before: before, now: now)
        }
        return (drops, rows.count)
    }
}

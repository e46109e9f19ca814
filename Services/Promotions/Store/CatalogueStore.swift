import Kernel
import Postgres

/// The catalogue: categories and products.
struct CatalogueStore: Sendable {
    /// Writes categories down; those that are written down so already are left alone. Gives the number written.
    func upsert(_ categories: [CategoryRecord], in transaction: borrowing Transaction) async throws -> Int {
        try await transaction.execute(
            """
            insert into promotions.category as category (category, slug, title, parent, position, tags)
            select id, slug, title, parent, position, coalesce(string_to_array(tags, ','), '{}')
            from unnest(
                \(categories.map(\.id)), \(categories.map(\.slug)), \(categories.map(\.title)),
                \(categories.map(\.parent)), \(categories.map(\.position)),
                \(categories.map { $0.tags.isEmpty ? nil : $0.tags.joined(separator: ",") })
            ) as told (id, slug, title, parent, position, tags)
            on conflict (category) do update
            set slug = excluded.slug, title = excluded.title, parent = excluded.parent, position = excluded.position,
                tags = excluded.tags
            where (category.slug, category.title, category.parent, category.position, category.tags)
                is distinct from (
                    excluded.slug, excluded.title, excluded.parent, excluded.position, excluded.tags
                )
            """)
    }

    /// Writes down those categories of which only the name is known, unless the tree has told more of them.
    func insertMissing(_ categories: [CategoryRecord], in transaction: borrowing Transaction) async throws -> Int {
        try await transaction.execute(
            """
            insert into promotions.category (category, slug, title, position)
            select *
            from unnest(
                \(categories.map(\.id)), \(categories.map(\.slug)), \(categories.map(\.title)),
                \(categories.map(\.position))
            )
            on conflict (category) do nothing
            """)
    }

    /// Writes products down; those that are written down so already are left alone. Gives the number written.
    func upsert(_ products: [ProductRecord], in transaction: borrowing Transaction) async throws -> Int {
        try await transaction.execute(
            """
            insert into promotions.product as product (sku, title, category, unit, price, old_price)
            select *
            from unnest(
                \(products.map(\.sku)), \(products.map(\.title)), \(products.map(\.category)), \(products.map(\.unit)),
                \(products.map(\.price?.amount)), \(products.map(\.oldPrice?.amount))
            )
            on conflict (sku) do update
            set title = excluded.title, category = excluded.category, unit = excluded.unit, price = excluded.price,
                old_price = excluded.old_price
            where (product.title, product.category, product.unit, product.price, product.old_price)
                is distinct from (
                    excluded.title, excluded.category, excluded.unit, excluded.price, excluded.old_price
                )
            """)
    }

    /// A product and the name of its shelf.
    struct Item: Sendable {
        let product: ProductRecord
        let categorySlug: String?
        let categoryTitle: String?
    }

    /// Products in the order of their numbers, after `last`. A category stands for itself and the shelves below it.
    func page(
        of category: String?, after last: String, limit: Int, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [Item] {
        let rows: [Row]
        if let category {
            rows = try await runner.query(
                """
                select sku, product.title, product.category, unit, price, old_price, category.slug, category.title
                from promotions.product
                left join promotions.category using (category)
                where sku > \(last)
                    and product.category in (
                        select category
                        from promotions.category
                        where category = \(category) or parent = \(category)
                    )
                order by sku
                limit \(Int64(limit))
                """)
        } else {
            rows = try await runner.query(
                """
                select sku, product.title, product.category, unit, price, old_price, category.slug, category.title
                from promotions.product
                left join promotions.category using (category)
                where sku > \(last)
                order by sku
                limit \(Int64(limit))
                """)
        }
        return try rows.map { row in
            let (sku, title, category, unit, price, oldPrice, categorySlug, categoryTitle) = try row.decode(
                String.self, String.self, String.self, String?.self, Int64?.self, Int64?.self, String?.self,
                String?.self)
            return Item(
                product: ProductRecord(
                    sku: sku, title: title, category: category, unit: unit, price: price.flatMap { Kopecks($0) },
                    oldPrice: oldPrice.flatMap { Kopecks($0) }),
                categorySlug: categorySlug, categoryTitle: categoryTitle)
        }
    }
}

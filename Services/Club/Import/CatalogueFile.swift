import FoundationEssentials
import Kernel
import Promotions

/// A catalogue as JSON, in either of two shapes, told apart by what the items have: a tree of categories
/// (`{"content": {"items": [{"category", "children"}]}}`) or products by group
/// (`{"content": {"items": [{"group", "products"}]}}`), prices in kopecks. Unknown members are ignored.
struct CatalogueFile: Decodable {
    private struct Content: Decodable {
        let items: [Item]
    }

    private struct Item: Decodable {
        let category: Category?
        let children: [Item]?
        let products: [Product]?
    }

    private struct Category: Decodable {
        let slug: String
        let title: String
        let isAlcohol: Bool?
        let isTobacco: Bool?
    }

    private struct Product: Decodable {
        let title: String
        let primaryCategory: Category
        let masterData: MasterData
        let priceTag: PriceTag?
    }

    private struct MasterData: Decodable {
        let plu: String
        let unitName: String?
    }

    private struct PriceTag: Decodable {
        let price: Int64?
        let grossPrice: Int64?
    }

    private let content: Content

    /// The tree of categories, parents before their children; empty when the file has products.
    var categories: [CategoryRecord] {
        var records: [CategoryRecord] = []
        Self.append(self.content.items, below: nil, to: &records)
        return records
    }

    /// The products; empty when the file has categories.
    func products() throws -> [ProductRecord] {
        try self.content.items.flatMap { $0.products ?? [] }.map { product in
            ProductRecord(
                sku: product.masterData.plu, title: product.title, category: product.primaryCategory.slug,
                unit: product.masterData.unitName, price: try Self.price(product.priceTag?.price),
                oldPrice: try Self.price(product.priceTag?.grossPrice))
        }
    }

    /// The categories that products name, for those that no tree has told of.
    var shelves: [CategoryRecord] {
        self.content.items.flatMap { $0.products ?? [] }.map {
            Self.record($0.primaryCategory, below: nil, position: 0)
        }
    }

    private static func append(_ items: [Item], below parent: String?, to records: inout [CategoryRecord]) {
        for (index, item) in items.enumerated() {
            guard let category = item.category else { continue }
            records.append(Self.record(category, below: parent, position: Int32(index)))
            Self.append(item.children ?? [], below: category.slug, to: &records)
        }
    }

    private static func record(_ category: Category, below parent: String?, position: Int32) -> CategoryRecord {
        var tags: [String] = []
        if category.isAlcohol == true { tags.append("alcohol") }
        if category.isTobacco == true { tags.append("tobacco") }
        return CategoryRecord(
            id: category.slug, title: category.title, parent: parent, position: position, tags: tags)
    }

    private static func price(_ kopecks: Int64?) throws -> Kopecks? {
        guard let kopecks else { return nil }
        guard let price = Kopecks(kopecks) else {
            throw CommandFailure(.dataError, "A price is below zero.")
        }
        return price
    }
}

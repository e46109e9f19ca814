public import FoundationEssentials
import Kernel

/// Reads what the real chain publishes about itself: the shapes of its public catalogue interface, as JSON files.
/// Whatever a file says beyond what is read here is passed over: the source is not ours.
public enum PerekrestokFiles {
    /// `shops.json`. Stores at 0, 0 are read as stores of which nobody knows where they are.
    public static func stores(_ file: Data) throws -> [StoreRecord] {
        try JSONDecoder().decode(Document<Shop>.self, from: file).content.items.compactMap(\.record)
    }

    /// `category_tree.json`: the shelves and those below them.
    public static func categories(_ file: Data) throws -> [CategoryRecord] {
        try JSONDecoder().decode(Document<Node>.self, from: file).content.items.enumerated()
            .flatMap { $0.element.records(at: $0.offset, below: nil) }
    }

    /// `grouped_feed.json`: products with their prices, and the shelves that they stand on.
    public static func products(_ file: Data) throws -> (products: [ProductRecord], shelves: [CategoryRecord]) {
        let products = try JSONDecoder().decode(Document<Group>.self, from: file).content.items.flatMap(\.products)
        return (products.map(\.record), products.map(\.shelf))
    }
}

private struct Document<Item: Decodable>: Decodable {
    struct Content: Decodable {
        let items: [Item]
    }

    let content: Content
}

private struct Shop: Decodable {
    struct Location: Decodable {
        /// GeoJSON's order (RFC 7946): longitude, latitude.
        let coordinates: [Double]
    }

    struct Feature: Decodable {
        let key: String
        let title: String
    }

    let id: Int64
    let location: Location
    let features: [Feature]

    var record: StoreRecord? {
        guard let id = StoreID(String(self.id)) else { return nil }
        return StoreRecord(
            id: id, position: self.location.position,
            features: self.features.map { StoreRecord.Feature(key: $0.key, title: $0.title) })
    }
}

extension Shop.Location {
    fileprivate var position: StoreRecord.Position? {
        guard self.coordinates.count == 2, let longitude = Int32(exactly: (self.coordinates[0] * 1_000_000).rounded()),
            let latitude = Int32(exactly: (self.coordinates[1] * 1_000_000).rounded())
        else { return nil }
        return StoreRecord.Position(latitudeE6: latitude, longitudeE6: longitude)
    }
}

private struct Node: Decodable {
    struct Category: Decodable {
        let id: Int64
        let title: String
        let slug: String
        let isAlcohol: Bool
        let isTobacco: Bool
    }

    let category: Category
    let children: [Node]

    func records(at position: Int, below parent: String?) -> [CategoryRecord] {
        let tags = [self.category.isAlcohol ? "alcohol" : nil, self.category.isTobacco ? "tobacco" : nil]
        let record = CategoryRecord(
            id: String(self.category.id), slug: self.category.slug, title: self.category.title, parent: parent,
            position: Int32(clamping: position),
            tags: tags.compactMap { $0 })
        return [record]
            + self.children.enumerated().flatMap { $0.element.records(at: $0.offset, below: record.id) }
    }
}

private struct Group: Decodable {
    let products: [Product]
}

private struct Product: Decodable {
    struct MasterData: Decodable {
        let plu: String
        let unitName: String?
    }

    struct Category: Decodable {
        let id: Int64
        let title: String
        let slug: String
    }

    /// Kopecks.
    struct PriceTag: Decodable {
        let price: Int64
        let grossPrice: Int64?
    }

    let masterData: MasterData
    let title: String
    let primaryCategory: Category
    /// The shelf of the tree that the product stands on, where it stands on one.
    let catalogPrimaryCategory: Category?
    let priceTag: PriceTag?

    var record: ProductRecord {
        ProductRecord(
            sku: self.masterData.plu, title: self.title, category: self.shelf.id,
            unit: self.masterData.unitName, price: self.priceTag.flatMap { Kopecks($0.price) },
            oldPrice: self.priceTag?.grossPrice.flatMap { Kopecks($0) })
    }

    var shelf: CategoryRecord {
        let category = self.catalogPrimaryCategory ?? self.primaryCategory
        return CategoryRecord(id: String(category.id), slug: category.slug, title: category.title)
    }
}

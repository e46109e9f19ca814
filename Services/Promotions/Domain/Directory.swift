public import Kernel

/// A store as the directory knows it. The same record read twice is the same store: imports compare them whole.
public struct StoreRecord: Hashable, Sendable {
    public let id: StoreID
    public var title: String?
    public var city: String?
    public var address: String?
    public var position: Position?
    public var features: [Feature]

    /// WGS 84, in millionths of a degree: whole numbers, so that a position read twice is the same position.
    public struct Position: Hashable, Sendable {
        public let latitudeE6: Int32
        public let longitudeE6: Int32

        /// nil outside the globe, and for 0, 0: what sources write when they do not know.
        public init?(latitudeE6: Int32, longitudeE6: Int32) {
            guard -90_000_000...90_000_000 ~= latitudeE6, -180_000_000...180_000_000 ~= longitudeE6,
                (latitudeE6, longitudeE6) != (0, 0)
            else { return nil }
            (self.latitudeE6, self.longitudeE6) = (latitudeE6, longitudeE6)
        }
    }

    /// What a store offers: `kafe`, «Кафе».
    public struct Feature: Hashable, Sendable, Codable {
        public let key: String
        public let title: String

        public init(key: String, title: String) {
            (self.key, self.title) = (key, title)
        }
    }

    public init(
        id: StoreID, title: String? = nil, city: String? = nil, address: String? = nil, position: Position? = nil,
        features: [Feature] = []
    ) {
        (self.id, self.title, self.city, self.address) = (id, title, city, address)
        (self.position, self.features) = (position, features)
    }
}

/// A shelf of the catalogue.
public struct CategoryRecord: Hashable, Sendable {
    /// The source's number or name of it. Slugs do not serve: the real tree has eleven of them twice.
    public let id: String
    /// What stands in an address: `moloko-syr-ajca`; nil where the source has none.
    public var slug: String?
    public var title: String
    /// The shelf that this one is a part of; nil at the top.
    public var parent: String?
    /// Its place among its siblings.
    public var position: Int32
    /// What the rules look at: `alcohol`, `tobacco`.
    public var tags: [String]

    public init(
        id: String, slug: String? = nil, title: String, parent: String? = nil, position: Int32 = 0, tags: [String] = []
    ) {
        (self.id, self.slug, self.title) = (id, slug, title)
        (self.parent, self.position, self.tags) = (parent, position, tags)
    }
}

/// A product of the catalogue.
public struct ProductRecord: Hashable, Sendable {
    public let sku: String
    public var title: String
    public var category: String
    /// What one of it is: «шт», «кг».
    public var unit: String?
    /// What it costs now; nil where the source names no price.
    public var price: Kopecks?
    /// What it cost before the offer; nil where there is none.
    public var oldPrice: Kopecks?

    public init(
        sku: String, title: String, category: String, unit: String? = nil, price: Kopecks? = nil,
        oldPrice: Kopecks? = nil
    ) {
        (self.sku, self.title, self.category, self.unit) = (sku, title, category, unit)
        (self.price, self.oldPrice) = (price, oldPrice)
    }
}

/// What an import did.
public struct ImportOutcome: Hashable, Sendable {
    /// Records of the source that are written down now and were not before, or were otherwise.
    public var written: Int
    /// Records that were written down so already.
    public var unchanged: Int

    public init(written: Int = 0, unchanged: Int = 0) {
        (self.written, self.unchanged) = (written, unchanged)
    }

    static func + (left: Self, right: Self) -> Self {
        Self(written: left.written + right.written, unchanged: left.unchanged + right.unchanged)
    }
}

import Hummingbird
import Kernel
import Postgres
import Web

/// What everybody may read: the stores and the catalogue.
struct DirectoryRoutes: Sendable {
    private let database: Database
    private let stores = StoreDirectory()
    private let catalogue = CatalogueStore()

    init(database: Database) {
        self.database = database
    }

    func add(to router: Router<ClubRequestContext>) {
        router.get("v1/stores") { request, _ in
            let page = try PageRequest<String>(request)
            let stores = try await self.stores.page(after: page.after ?? "", limit: page.limit + 1, in: self.database)
            return try Answer.json(Page(stores.map(StoreBody.init), limit: page.limit) { $0.id })
        }
        router.get("v1/catalogue") { request, _ in
            let page = try PageRequest<String>(request)
            let category = request.uri.queryParameters["category"].map { String($0) }
            let items = try await self.catalogue.page(
                of: category, after: page.after ?? "", limit: page.limit + 1, in: self.database)
            return try Answer.json(Page(items.map(ProductBody.init), limit: page.limit) { $0.sku })
        }
    }
}

/// A store as everybody sees it.
struct StoreBody: Encodable, Sendable {
    let id: String
    let title: String?
    let city: String?
    let address: String?
    let position: Position?
    let features: [StoreRecord.Feature]

    /// Degrees, WGS 84.
    struct Position: Encodable, Sendable {
        let latitude: Double
        let longitude: Double
    }

    init(_ store: StoreRecord) {
        self.id = store.id.text
        self.title = store.title
        self.city = store.city
        self.address = store.address
        self.position = store.position.map {
            Position(latitude: Double($0.latitudeE6) / 1_000_000, longitude: Double($0.longitudeE6) / 1_000_000)
        }
        self.features = store.features
    }
}

/// A product as everybody sees it. Prices in kopecks.
struct ProductBody: Encodable, Sendable {
    let sku: String
    let title: String
    let category: Category
    let unit: String?
    let price: Kopecks?
    let oldPrice: Kopecks?

    struct Category: Encodable, Sendable {
        let id: String
        let slug: String?
        let title: String?
    }

    init(_ item: CatalogueStore.Item) {
        self.sku = item.product.sku
        self.title = item.product.title
        self.category = Category(
            id: item.product.category, slug: item.categorySlug, title: item.categoryTitle)
        self.unit = item.product.unit
        self.price = item.product.price
        self.oldPrice = item.product.oldPrice
    }
}

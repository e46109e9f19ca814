import Hummingbird
import Kernel
import Postgres
import Web

/// What everybody may read: the catalogue.
struct DirectoryRoutes: Sendable {
    private let database: Database
    private let catalogue = CatalogueStore()

    init(database: Database) {
        self.database = database
    }

    func add(to router: Router<ClubRequestContext>) {
        router.get("v1/catalogue") { request, _ in
            let page = try PageRequest<String>(request)
            let category = try request.category()
            let items = try await self.catalogue.page(
                of: category, after: page.after ?? "", limit: page.limit + 1, in: self.database)
            return try Answer.json(Page(items.map(ProductBody.init), limit: page.limit) { $0.sku })
        }
    }
}

extension Request {
    /// The query parameter `category`.
    func category() throws(Problem) -> String? {
        guard let text = self.uri.queryParameters["category"].map({ String($0) }) else { return nil }
        guard text.isLine(max: ReceiptLimits.textBytesMax) else {
            throw Problem(.invalidValue, detail: "category is a text of 1 to \(ReceiptLimits.textBytesMax) characters")
        }
        return text
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

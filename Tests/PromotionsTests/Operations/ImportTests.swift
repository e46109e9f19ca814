import FoundationEssentials
import Kernel
import TestSupport
import Testing

@testable import Promotions

@Suite(.promotionsDatabase) struct ImportTests {
    private func file(_ name: String) throws -> Data {
        let path = "\(#filePath.split(separator: "/").dropLast(2).reduce("") { $0 + "/" + $1 })/Fixtures/\(name)"
        return try #require(FileManager.default.contents(atPath: path))
    }

    @Test func `stores imported twice change nothing the second time`() async throws {
        let database = try TestDatabase.current.database(for: "promotions")
        let stores = try PerekrestokFiles.stores(self.file("shops.json"))
        #expect(stores.count == 3)
        #expect(stores[0].position == StoreRecord.Position(latitudeE6: 50_599_874, longitudeE6: 36_590_546))
        #expect(stores[0].features == [.init(key: "priem-batareek", title: "Приём батареек")])
        // One of the chain's shops lies in the Gulf of Guinea.
        #expect(stores[2].position == nil)
        let importStores = ImportStores(database: database)
        #expect(try await importStores(stores) == ImportOutcome(written: 3, unchanged: 0))
        #expect(try await importStores(stores) == ImportOutcome(written: 0, unchanged: 3))
        var changed = stores
        changed[1].city = "Курск"
        #expect(try await importStores(changed) == ImportOutcome(written: 1, unchanged: 2))
        #expect(try await StoreDirectory().page(after: "", limit: 10, in: database) == changed.sorted { $0.id < $1.id })
    }

    @Test func `the catalogue imported twice changes nothing the second time`() async throws {
        let database = try TestDatabase.current.database(for: "promotions")
        let importCatalogue = ImportCatalogue(database: database)
        let categories = try PerekrestokFiles.categories(self.file("category_tree.json"))
        // The tree has a root and a shelf of the same slug.
        #expect(categories.filter { $0.slug == "ryba" }.count == 2)
        #expect(categories.count == 4)
        #expect(categories[2].parent == categories[1].id)
        #expect(categories[3].tags == ["tobacco"])
        #expect(try await importCatalogue(categories) == ImportOutcome(written: 4, unchanged: 0))
        #expect(try await importCatalogue(categories) == ImportOutcome(written: 0, unchanged: 4))
        let (products, shelves) = try PerekrestokFiles.products(self.file("grouped_feed.json"))
        #expect(products.map(\.price) == [Kopecks(12_599), Kopecks(13_999)])
        #expect(products.map(\.oldPrice) == [Kopecks(18_999), nil])
        #expect(try await importCatalogue(products, on: shelves) == ImportOutcome(written: 2, unchanged: 0))
        #expect(try await importCatalogue(products, on: shelves) == ImportOutcome(written: 0, unchanged: 2))
        // What the tree said of a shelf is not overwritten by the little that a product knows of it.
        #expect(try await importCatalogue(categories) == ImportOutcome(written: 0, unchanged: 4))
    }

    @Test func `a category shows its own products and those of its shelves, page by page`() async throws {
        let database = try TestDatabase.current.database(for: "promotions")
        let importCatalogue = ImportCatalogue(database: database)
        _ = try await importCatalogue([
            CategoryRecord(id: "1", title: "Рыба"), CategoryRecord(id: "2", title: "Икра", parent: "1"),
            CategoryRecord(id: "3", title: "Сыр"),
        ])
        _ = try await importCatalogue([
            ProductRecord(sku: "a", title: "Форель", category: "1"),
            ProductRecord(sku: "b", title: "Икра", category: "2"),
            ProductRecord(sku: "c", title: "Сыр", category: "3"),
            ProductRecord(sku: "d", title: "Новинка", category: "9"),
        ])
        func skus(_ category: String?, after: String = "", limit: Int = 10) async throws -> [String] {
            try await CatalogueStore().page(of: category, after: after, limit: limit, in: database).map(\.product.sku)
        }
        #expect(try await skus("1") == ["a", "b"])
        #expect(try await skus("2") == ["b"])
        #expect(try await skus(nil, limit: 3) == ["a", "b", "c"])
        #expect(try await skus(nil, after: "c", limit: 3) == ["d"])
        #expect(try await skus("no such").isEmpty)
    }

    @Test func `very many records are written in chunks`() async throws {
        let database = try TestDatabase.current.database(for: "promotions")
        let products = (0..<12_345).map { ProductRecord(sku: "\($0)", title: "Товар", category: "1") }
        let importCatalogue = ImportCatalogue(database: database)
        #expect(try await importCatalogue(products) == ImportOutcome(written: 12_345, unchanged: 0))
        #expect(try await importCatalogue(products) == ImportOutcome(written: 0, unchanged: 12_345))
    }
}

import HTTPTypes
import HummingbirdTesting
import Kernel
import TestSupport
import Testing

@testable import Promotions

@Suite(.promotionsDatabase) struct DirectoryRoutesTests {
    private struct PageSeen<Item: Decodable>: Decodable {
        let items: [Item]
        let next: String?
    }

    private struct StoreSeen: Decodable, Hashable {
        struct Position: Decodable, Hashable {
            let latitude: Double
            let longitude: Double
        }

        let id: String
        let city: String?
        let position: Position?
    }

    private struct ProductSeen: Decodable, Hashable {
        struct Category: Decodable, Hashable {
            let id: String
            let title: String?
        }

        let sku: String
        let category: Category
        let price: Int64?
        let oldPrice: Int64?
    }

    @Test func `everybody reads the stores, page by page`() async throws {
        let world = try await TillWorld()
        let position = StoreRecord.Position(latitudeE6: 55_751_244, longitudeE6: 37_618_423)
        let moscow = StoreRecord(id: TillWorld.store("3"), city: "Москва", position: position)
        _ = try await ImportStores(database: world.database)([moscow])
        try await world.client { client in
            let first: PageSeen<StoreSeen> = try await client.ask(.get, "/v1/stores?limit=2", key: nil).read()
            #expect(first.items.map(\.id) == ["1", "2"])
            #expect(first.items[0].position == nil)
            let next = try #require(first.next)
            let second: PageSeen<StoreSeen> = try await client.ask(.get, "/v1/stores?limit=2&cursor=\(next)", key: nil)
                .read()
            #expect(second.items.map(\.city) == ["Москва"])
            #expect(second.items[0].position == StoreSeen.Position(latitude: 55.751244, longitude: 37.618423))
            #expect(second.next == nil)
        }
    }

    @Test func `everybody reads the catalogue, whole or by category`() async throws {
        let world = try await TillWorld()
        let importCatalogue = ImportCatalogue(database: world.database)
        _ = try await importCatalogue([CategoryRecord(id: "10", title: "Мясо и птица")])
        _ = try await importCatalogue([
            ProductRecord(sku: "1", title: "Курица", category: "10", price: Kopecks(19_999), oldPrice: Kopecks(29_999)),
            ProductRecord(sku: "2", title: "Хлеб", category: "11"),
        ])
        try await world.client { client in
            let all: PageSeen<ProductSeen> = try await client.ask(.get, "/v1/catalogue", key: nil).read()
            #expect(all.items.map(\.sku) == ["1", "2"])
            #expect(all.items[0].category == ProductSeen.Category(id: "10", title: "Мясо и птица"))
            #expect((all.items[0].price, all.items[0].oldPrice) == (19_999, 29_999))
            let meat: PageSeen<ProductSeen> = try await client.ask(.get, "/v1/catalogue?category=10", key: nil).read()
            #expect(meat.items.map(\.sku) == ["1"])
            let none: PageSeen<ProductSeen> = try await client.ask(.get, "/v1/catalogue?category=99", key: nil).read()
            #expect(none.items.isEmpty)
        }
    }

    @Test(arguments: ["/v1/stores?limit=0", "/v1/stores?limit=101", "/v1/catalogue?cursor=nonsense!"])
    func `a page that cannot be is refused`(path: String) async throws {
        let world = try await TillWorld()
        let answer = try await world.client { try await $0.ask(.get, path, key: nil) }
        #expect(answer.status == 400)
        #expect(answer.problem != nil)
    }
}

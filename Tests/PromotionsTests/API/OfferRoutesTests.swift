import HTTPTypes
import HummingbirdTesting
import Kernel
import Postgres
import TestSupport
import Testing
import Web

@testable import Promotions

@Suite(.promotionsDatabase, .capturedLogs) struct OfferRoutesTests {
    private struct Offers: Decodable {
        struct Item: Decodable {
            let sku: String
            let price: Int64
            let endsAt: Timestamp
        }
        let items: [Item]
        let next: String?
    }
    private struct Home: Decodable {
        struct Reason: Decodable { let code: String }
        struct Item: Decodable {
            let offer: Offers.Item
            let expectedSaving: Int64
            let reasons: [Reason]
        }
        let isProfiled: Bool
        let items: [Item]
    }

    private func offer(
        _ sku: String, _ prices: (Int64, Int64), _ world: TillWorld, _ client: any TestClientProtocol,
        days: (String, String) = ("2026-11-23", "2026-11-24"), more: String = ""
    ) async throws {
        struct Drafted: Decodable { let offer: String }
        let editor = try await world.staff(1, .promoEditor, client)
        let body = """
            {"sku": "\(sku)", "title": {"ru": "Дешевле", "en": "For less"}, "oldPrice": \(prices.0), "price": \(prices.1),
            "from": "\(days.0)", "to": "\(days.1)"\(more)}
            """
        let drafted = try await editor.ask(.post, "/staff/v1/offers", body)
        #expect(drafted.status == 201)
        let path = "/staff/v1/offers/\(try drafted.read(Drafted.self).offer)/approve"
        #expect(try await editor.ask(.post, path).problem?.code == "role-missing")
        #expect(try await world.staff(2, .promoApprover, client).ask(.post, path).status == 204)
    }

    @Test func `an offer is valid on its days where the shop is`() async throws {
        let world = try await TillWorld()
        try await world.stock([("a", "Филе", 300), ("b", "Фарш", 300)])
        try await world.owner.execute("update promotions.store set utc_offset = 720 where store_id = '2'")
        try await world.client { client in
            try await self.offer("a", (300, 200), world, client)
            try await self.offer("b", (300, 250), world, client, more: #", "stores": ["2"]"#)
            func seen(_ query: String) async throws -> [String] {
                try await client.ask(.get, "/v1/offers" + query, key: nil).read(Offers.self).items.map(\.sku)
            }
            #expect(try await seen("") == ["a"])
            #expect(try await seen("?store=1") == ["a"])
            #expect(try await seen("?store=2") == ["a", "b"])
            #expect(try await seen("?category=meat&limit=1") == ["a"])
            #expect(try await seen("?category=milk").isEmpty)
            // 15:00 in Moscow is midnight on Kamchatka: the day of the offer is over there.
            world.clock.advance(by: .seconds(3 * 3600))
            #expect(try await seen("?store=2").isEmpty)
            #expect(try await seen("?store=1") == ["a"])
            let shop = try await client.ask(.get, "/v1/offers?store=1", key: nil).read(Offers.self).items
            #expect(shop.map(\.endsAt) == [Timestamp("2026-11-23T21:00:00Z")])
            world.clock.advance(by: .seconds(9 * 3600))
            #expect(try await seen("").isEmpty)
        }
    }

    @Test func `old prices of the catalogue become offers, once a day`() async throws {
        let world = try await TillWorld()
        try await world.stock([("plain", "Соль", 100)])
        _ = try await ImportCatalogue(database: world.database)([
            ProductRecord(sku: "a", title: "Филе", category: "meat", price: Kopecks(200), oldPrice: Kopecks(300))
        ])
        let imports = ImportOffers(database: world.database)
        #expect(try await imports(from: Make.noon, days: 2) == 1)
        #expect(try await imports(from: Make.noon, days: 2) == 0)
        let seen = try await world.client { try await $0.ask(.get, "/v1/offers", key: nil).read(Offers.self) }
        #expect(seen.items.map(\.sku) == ["a"])
        #expect(seen.items.map(\.endsAt) == [Timestamp("2026-11-24T21:00:00Z")])
    }

    @Test func `what has not changed is not sent again`() async throws {
        let world = try await TillWorld()
        try await world.stock([("a", "Филе", 300)])
        try await world.client { client in
            let first = try await client.ask(.get, "/v1/offers", key: nil)
            let tag = try #require(first.headers[.eTag])
            let again = try await client.ask(.get, "/v1/offers", key: nil, headers: [.ifNoneMatch: tag])
            #expect(again.status == 304)
            #expect(again.text.isEmpty)
            try await self.offer("a", (300, 200), world, client)
            #expect(try await client.ask(.get, "/v1/offers", key: nil, headers: [.ifNoneMatch: tag]).status == 200)
        }
    }

    @Test func `the home page ranks by what this member can expect to save, and says why`() async throws {
        let world = try await TillWorld()
        try await world.stock([("a", "Филе", 300), ("b", "Фарш", 300), ("c", "Стейк", 90_000)])
        try await world.stock([("d", "Сыр", 300)], shelf: "milk")
        let stranger = try await world.join(40).member
        try await world.client { client in
            try await self.offer("a", (300, 200), world, client)
            try await self.offer("b", (300, 200), world, client)
            try await self.offer("c", (100_000, 99_000), world, client, more: #", "segment": "rich""#)
            try await self.offer("d", (300, 100), world, client)
            for document in 1...6 { _ = try await client.deliver(ReceiptJSON(fiscalDocument: Int64(document)).text) }
            let lines = #"[{"position": 1, "sku": "a", "quantity": 1000, "price": 100, "sum": 100}]"#
            _ = try await client.deliver(ReceiptJSON(fiscalDocument: 20, lines: lines, total: 100).text)
            let member = try await world.member(nil, client)
            let home: Home = try await member.ask(.get, "/v1/home").read()
            // Seven receipts with a, six with b; nobody has bought d.
            #expect(home.items.map(\.offer.sku) == ["a", "b", "d"])
            #expect(home.items.map(\.expectedSaving) == [233, 200, 10])
            #expect(home.items.map { $0.reasons.map(\.code) } == [["bought"], ["bought"], ["popular"]])
            struct Popular: Decodable {
                struct Item: Decodable { let sku: String }
                let isProfiled: Bool
                let items: [Item]
            }
            #expect(
                try await member.ask(.get, "/v1/purchases/popular").read(Popular.self).items.map(\.sku) == ["a", "b"])
            // Who does not want to be looked at is not.
            _ = try await member.ask(.put, "/v1/settings/profiling", #"{"isAllowed": false}"#)
            let plain: Home = try await member.ask(.get, "/v1/home").read()
            #expect(!plain.isProfiled)
            #expect(plain.items.map(\.offer.sku) == ["d", "a", "b"])
            #expect(try await member.ask(.get, "/v1/purchases/popular").read(Popular.self).items.isEmpty)
            // An offer for some is seen by those only.
            let other = try await world.member(stranger, client)
            #expect(try await other.ask(.get, "/v1/home").read(Home.self).items.count == 3)
            let editor = try await world.staff(1, .promoEditor, client)
            let change = #"{"members": ["\#(stranger)"], "isIn": true}"#
            #expect(try await editor.ask(.put, "/staff/v1/segments/rich/members", change).text.contains("1"))
            #expect(try await editor.ask(.put, "/staff/v1/segments/rich/members", change).text.contains("0"))
            #expect(try await other.ask(.get, "/v1/home").read(Home.self).items.first?.offer.sku == "c")
        }
    }
}

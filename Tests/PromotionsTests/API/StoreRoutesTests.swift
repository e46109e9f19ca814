import FoundationEssentials
import HTTPTypes
import HummingbirdTesting
import Kernel
import Postgres
import TestSupport
import Testing
import Web

@testable import Promotions

@Suite(.promotionsDatabase, .capturedLogs) struct StoreRoutesTests {
    private struct Seen: Decodable {
        let id: String
        let distance: Int64?
        let isOpen: Bool?
        let phone: String?
    }
    private struct Found: Decodable { let items: [Seen] }

    private func place(_ id: String, _ latitude: Double, _ longitude: Double) -> StoreRecord {
        StoreRecord(
            id: TillWorld.store(id),
            position: .init(
                latitudeE6: Int32((latitude * 1_000_000).rounded()),
                longitudeE6: Int32((longitude * 1_000_000).rounded())))
    }

    private func nearest(
        _ latitude: Double, _ longitude: Double, limit: Int = 3, _ client: any TestClientProtocol
    ) async throws -> [Seen] {
        let body = #"{"latitude": \#(latitude), "longitude": \#(longitude), "limit": \#(limit)}"#
        return try await client.ask(.post, "/v1/stores/nearest", body, key: nil).read(Found.self).items
    }

    @Test func `the nearest stores are found by the great circle, over the date line too`() async throws {
        let world = try await TillWorld()
        _ = try await ImportStores(database: world.database)([
            self.place("kremlin", 55.752, 37.6175), self.place("piter", 59.9398, 30.3146),
            self.place("khimki", 55.8894, 37.4449), self.place("east", 66.0, 179.95), self.place("west", 66.0, -179.95),
        ])
        try await world.client { client in
            let moscow = try await self.nearest(55.7558, 37.6173, client)
            #expect(moscow.map(\.id) == ["kremlin", "khimki", "piter"])
            for (found, metres) in zip(moscow, [423, 18_370, 634_000] as [Int64]) {
                let distance = try #require(found.distance)
                #expect(abs(distance - metres) <= metres / 100)
            }
            let edge = try await self.nearest(66.0, 179.99, limit: 2, client)
            #expect(edge.map(\.id) == ["east", "west"])
            #expect(edge.allSatisfy { ($0.distance ?? .max) < 3000 })
            let bad = try await client.ask(.post, "/v1/stores/nearest", #"{"latitude": 91, "longitude": 0}"#, key: nil)
            #expect(bad.status == 400)
        }
    }

    @Test(arguments: 0..<20)
    func `the grid finds what looking at every store finds`(seed: UInt64) async throws {
        let world = try await TillWorld()
        var random = SplitMix64(seed: seed)
        let stores = (0..<60).map { number in
            self.place(
                "s\(number)", Double.random(in: 54...57, using: &random), Double.random(in: 35...40, using: &random))
        }
        _ = try await ImportStores(database: world.database)(stores)
        let (latitude, longitude) = (
            Double.random(in: 53...58, using: &random), Double.random(in: 34...41, using: &random)
        )
        let direct = try await world.owner.query(
            """
            select store_id
            from promotions.store
            where latitude_e6 is not null
            order by acos(least(1,
                sin(radians(latitude_e6 / 1e6)) * sin(radians(\(latitude)))
                + cos(radians(latitude_e6 / 1e6)) * cos(radians(\(latitude)))
                    * cos(radians(longitude_e6 / 1e6 - \(longitude)))
            ))
            limit 5
            """
        ).map { try $0.decode(String.self) }
        let found = try await world.client { try await self.nearest(latitude, longitude, limit: 5, $0) }
        #expect(found.map(\.id) == direct)
    }

    @Test func `where a member is stands in no log and no table`() async throws {
        let world = try await TillWorld()
        _ = try await ImportStores(database: world.database)([self.place("kremlin", 55.752, 37.6175)])
        _ = try await world.client { try await self.nearest(55.123457, 37.765432, $0) }
        let place = try #require(Place(latitude: 55.123457, longitude: 37.765432))
        #expect(!"\(place)\(String(reflecting: place))".contains("55"))
        #expect(!CapturedLogs.text.contains("55.12345"))
    }

    @Test func `a store is open by its own clock, over midnight, and on days with other hours`() async throws {
        let world = try await TillWorld()
        try await world.client { client in
            func isOpen() async throws -> Bool? {
                try await client.ask(.get, "/v1/stores/1", key: nil).read(Seen.self).isOpen
            }
            #expect(try await isOpen() == nil)
            let editor = try await world.staff(1, .promoEditor, client)
            // Mondays 08:00 to 02:00, in a shop two hours ahead of Moscow; closed on the 30th.
            let hours = """
                {"phone": "88002009555", "utcOffset": 300, "schedule": [{"weekday": 1, "opens": 480, "closes": 1560}],
                "exceptions": [{"day": "2026-11-30"}, {"day": "2026-12-01", "opens": 600, "closes": 660}]}
                """
            #expect(try await editor.ask(.put, "/staff/v1/stores/1/hours", hours).status == 204)
            #expect(try await editor.ask(.put, "/staff/v1/stores/99/hours", hours).problem?.code == "not-found")
            #expect(try await isOpen() == true)
            // 23:59 in Moscow is 01:59 of Tuesday there.
            world.clock.advance(by: .seconds(12 * 3600 - 60))
            #expect(try await isOpen() == true)
            world.clock.advance(by: .seconds(60))
            #expect(try await isOpen() == false)
            // The next Monday at noon.
            world.clock.advance(by: .seconds(6 * 86_400 + 12 * 3600))
            #expect(try await isOpen() == false)
            // The day after at 10:30 there.
            world.clock.advance(by: .seconds(86_400 - 3 * 3600 - 1800))
            #expect(try await isOpen() == true)
            #expect(try await client.ask(.get, "/v1/stores", key: nil).text.contains("88002009555"))
        }
    }

    @Test func `the map is GeoJSON, longitude first, of those of which it is known where they are`() async throws {
        let world = try await TillWorld()
        _ = try await ImportStores(database: world.database)([self.place("kremlin", 55.752, 37.6175)])
        struct Map: Decodable {
            struct Feature: Decodable {
                struct Geometry: Decodable { let coordinates: [Double] }
                let id: String
                let geometry: Geometry
            }
            let features: [Feature]
        }
        let answer = try await world.client { try await $0.ask(.get, "/v1/stores.geojson", key: nil) }
        #expect(answer.headers[.contentType] == "application/geo+json")
        let map: Map = try answer.read()
        #expect(map.features.map(\.id) == ["kremlin"])
        #expect(map.features[0].geometry.coordinates == [37.6175, 55.752])
    }
}

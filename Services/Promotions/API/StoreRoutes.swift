import HTTPTypes
import Hummingbird
import Kernel
import Postgres
import Web

/// The directory of stores: who is near, who is open, and where they all are.
struct StoreRoutes: Sendable {
    private let database: Database
    private let clock: any WallClock
    private let stores = NearbyStore()

    init(database: Database, clock: any WallClock) {
        (self.database, self.clock) = (database, clock)
    }

    func add(to router: Router<ClubRequestContext>) {
        router.get("v1/stores") { request, _ in
            let page = try PageRequest<String>(request)
            let now = self.clock.now
            let found = try await self.stores.page(
                after: page.after ?? "", limit: page.limit + 1, today: self.today, in: self.database)
            return try Answer.json(Page(found.map { StoreBody($0, at: now) }, limit: page.limit) { $0.id })
        }
        // The place stands in the body: an address would be written into the logs of whatever is on the way.
        router.post("v1/stores/nearest") { request, _ in
            let body = try await StrictJSON.decode(NearestBody.self, from: request)
            let (place, limit) = try body.parsed()
            let now = self.clock.now
            let found = try await self.stores.nearest(to: place, limit: limit, today: self.today, in: self.database)
            return try Answer.json(["items": found.map { StoreBody($0, at: now) }])
        }
        router.get("v1/stores.geojson") { _, _ in
            try await self.geoJSON()
        }
        router.get("v1/stores/:store") { _, context in
            guard let id = context.parameters.get("store").flatMap({ StoreID($0) }),
                let found = try await self.stores.find(id, today: self.today, in: self.database)
            else { throw Problem(ProblemKind.notFound) }
            return try Answer.json(StoreBody(found, at: self.clock.now))
        }
    }

    private var today: CivilDate { LocalTime(self.clock.now, offsetMinutes: LocalTime.moscowMinutes).date }

    /// RFC 7946. Stores of which nobody knows where they are have no place on a map.
    private func geoJSON() async throws -> Answer {
        var features: [GeoFeature] = []
        var last: String? = ""
        while let after = last {
            let page = try await self.stores.page(after: after, limit: 1000, today: self.today, in: self.database)
            features += page.compactMap(GeoFeature.init)
            last = page.count == 1000 ? page.last?.record.id.text : nil
        }
        let answer = try Answer.json(GeoCollection(features: features))
        var headers = answer.headers
        headers[.contentType] = "application/geo+json"
        return Answer(status: answer.status, headers: headers, body: answer.body)
    }
}

/// Where a member is. Read, used and forgotten.
struct NearestBody: Decodable, Sendable {
    let latitude: Double
    let longitude: Double
    let limit: Int?

    func parsed() throws(Problem) -> (place: Place, limit: Int) {
        guard let place = Place(latitude: self.latitude, longitude: self.longitude) else {
            throw Problem(.invalidValue, at: "/latitude", detail: "degrees, WGS 84")
        }
        let limit = self.limit ?? 10
        guard 1...50 ~= limit else { throw Problem(.invalidValue, at: "/limit", detail: "1 to 50") }
        return (place, limit)
    }
}

/// A store as everybody sees it.
struct StoreBody: Encodable, Sendable {
    let id: String
    let title: String?
    let city: String?
    let address: String?
    let phone: String?
    let position: Position?
    let features: [StoreRecord.Feature]
    /// Minutes since the shop's midnight.
    let schedule: [OpeningHours.Weekly]?
    let exceptions: [Exception]?
    /// Minutes east of Greenwich.
    let utcOffset: Int64
    /// nil when nobody knows its hours.
    let isOpen: Bool?
    /// Metres; nil where no place was asked for.
    let distance: Int64?

    /// Degrees, WGS 84.
    struct Position: Encodable, Sendable {
        let latitude: Double
        let longitude: Double
    }

    struct Exception: Encodable, Sendable {
        let day: String
        let opens: Int64?
        let closes: Int64?
    }

    init(_ found: NearbyStore.Found, at now: Timestamp) {
        let store = found.record
        self.id = store.id.text
        (self.title, self.city, self.address) = (store.title, store.city, store.address)
        self.phone = found.phone
        self.position = store.position.map {
            Position(latitude: Double($0.latitudeE6) / 1_000_000, longitude: Double($0.longitudeE6) / 1_000_000)
        }
        self.features = store.features
        self.schedule = found.hours.week.isEmpty ? nil : found.hours.week
        self.exceptions =
            found.hours.exceptions.isEmpty
            ? nil
            : found.hours.exceptions.map {
                Exception(day: $0.day.text, opens: $0.hours?.lowerBound, closes: $0.hours?.upperBound)
            }
        self.utcOffset = found.hours.offsetMinutes
        self.isOpen = found.hours.isOpen(at: now)
        self.distance = found.distance
    }
}

private struct GeoCollection: Encodable {
    let type = "FeatureCollection"
    let features: [GeoFeature]
}

private struct GeoFeature: Encodable {
    let type = "Feature"
    let id: String
    let geometry: Geometry
    let properties: Properties

    struct Geometry: Encodable {
        let type = "Point"
        /// Longitude first (RFC 7946, 3.1.1).
        let coordinates: [Double]
    }

    struct Properties: Encodable {
        let title: String?
        let city: String?
        let address: String?
        let phone: String?
    }

    init?(_ found: NearbyStore.Found) {
        guard let position = found.record.position else { return nil }
        self.id = found.record.id.text
        self.geometry = Geometry(
            coordinates: [Double(position.longitudeE6) / 1_000_000, Double(position.latitudeE6) / 1_000_000])
        self.properties = Properties(
            title: found.record.title, city: found.record.city, address: found.record.address, phone: found.phone)
    }
}

import FoundationEssentials
import Kernel
import Promotions

/// A directory of stores as JSON: `{"content": {"items": [{"id", "location", "features"}]}}`, with the name, city and
/// address where the source has them. Unknown members are ignored.
struct StoresFile: Decodable {
    private struct Content: Decodable {
        let items: [Item]
    }

    private struct Item: Decodable {
        let id: Int
        let title: String?
        let city: String?
        let address: String?
        let location: Location?
        let features: [Feature]?
    }

    /// GeoJSON (RFC 7946): longitude before latitude.
    private struct Location: Decodable {
        let coordinates: [Double]
    }

    private struct Feature: Decodable {
        let key: String
        let title: String
    }

    private let content: Content

    /// What the file says, as the directory keeps it.
    func records() throws -> [StoreRecord] {
        try self.content.items.map { item in
            guard let id = StoreID("\(item.id)") else {
                throw CommandFailure(.dataError, "The store \(item.id) has a number that is none.")
            }
            return StoreRecord(
                id: id, title: item.title, city: item.city, address: item.address,
                position: item.location.flatMap(Self.position),
                features: (item.features ?? []).map { StoreRecord.Feature(key: $0.key, title: $0.title) })
        }
    }

    private static func position(_ location: Location) -> StoreRecord.Position? {
        guard location.coordinates.count >= 2,
            let longitude = Self.millionths(location.coordinates[0]),
            let latitude = Self.millionths(location.coordinates[1])
        else { return nil }
        return StoreRecord.Position(latitudeE6: latitude, longitudeE6: longitude)
    }

    private static func millionths(_ degrees: Double) -> Int32? {
        Int32(exactly: (degrees * 1_000_000).rounded())
    }
}

public import Kernel
public import Postgres

/// Makes offers of those products of the catalogue that name an old price, as the chain's own system has decided them.
/// Running it again on the same day changes nothing.
public struct ImportOffers: Sendable {
    private let database: Database
    private let store = OfferStore()

    /// - Parameter database: as the role of promotions.
    public init(database: Database) {
        self.database = database
    }

    /// Gives the number of new offers.
    ///
    /// - Parameters:
    ///   - moment: in the first day of the offers, by Moscow's calendar.
    ///   - days: how many days they last, in the zone of each shop.
    public func callAsFunction(from moment: Timestamp, days: Int64) async throws -> Int {
        let first = LocalTime(moment, offsetMinutes: LocalTime.moscowMinutes).date
        return try await self.store.importCatalogue(from: first, to: first.adding(days: days), in: self.database)
    }
}

public import Postgres

/// Writes the directory of stores down. Running it again changes nothing.
public struct ImportStores: Sendable {
    /// A statement takes this many; more would hold its rows locked for long.
    private static let chunk = 2000

    private let database: Database
    private let store = StoreDirectory()

    /// - Parameter database: as the role of promotions.
    public init(database: Database) {
        self.database = database
    }

    /// Of several records of one store the last counts.
    public func callAsFunction(_ stores: [StoreRecord]) async throws -> ImportOutcome {
        let latest = Dictionary(stores.map { ($0.id, $0) }) { $1 }.values.sorted { $0.id < $1.id }
        return try await latest.chunked(by: Self.chunk) { chunk in
            let written = try await self.database.transaction { transaction in
                try await self.store.upsert(chunk, in: transaction)
            }
            return ImportOutcome(written: written, unchanged: chunk.count - written)
        }
    }
}

extension Array where Element: Sendable {
    /// The outcomes of all chunks together.
    func chunked(
        by size: Int, _ body: ([Element]) async throws -> ImportOutcome
    ) async rethrows -> ImportOutcome {
        var outcome = ImportOutcome()
        for start in stride(from: 0, to: self.count, by: size) {
            let chunk = Array(self[start..<Swift.min(start + size, self.count)])
            outcome = outcome + (try await body(chunk))
        }
        return outcome
    }
}

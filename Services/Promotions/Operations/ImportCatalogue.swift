import Kernel
public import Postgres

/// Writes categories and products down. Running it again changes nothing.
public struct ImportCatalogue: Sendable {
    /// A statement takes this many; more would hold its rows locked for long.
    private static let chunk = 5000

    private let database: Database
    private let store = CatalogueStore()

    /// - Parameter database: as the role of promotions.
    public init(database: Database) {
        self.database = database
    }

    /// The tree of categories. Of several records of one category the last counts.
    public func callAsFunction(_ categories: [CategoryRecord]) async throws -> ImportOutcome {
        let latest = Dictionary(categories.map { ($0.id, $0) }) { $1 }.values.sorted { $0.id < $1.id }
        return try await latest.chunked(by: Self.chunk) { chunk in
            let written = try await self.database.transaction { transaction in
                try await self.store.upsert(chunk, in: transaction)
            }
            return ImportOutcome(written: written, unchanged: chunk.count - written)
        }
    }

    /// Products. Of several records of one product the last counts.
    ///
    /// - Parameter shelves: the categories that the source names beside its products. One that the catalogue has
    ///   already is left as the tree told it.
    public func callAsFunction(
        _ products: [ProductRecord], on shelves: [CategoryRecord] = []
    ) async throws -> ImportOutcome {
        let shelves = Dictionary(shelves.map { ($0.id, $0) }) { $1 }.values.sorted { $0.id < $1.id }
        let latest = Dictionary(products.map { ($0.sku, $0) }) { $1 }.values.sorted { $0.sku < $1.sku }
        _ = try await self.database.transaction { transaction in
            try await self.store.insertMissing(shelves, in: transaction)
        }
        return try await latest.chunked(by: Self.chunk) { chunk in
            let written = try await self.database.transaction { transaction in
                try await self.store.upsert(chunk, in: transaction)
            }
            return ImportOutcome(written: written, unchanged: chunk.count - written)
        }
    }
}

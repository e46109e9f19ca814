public import Kernel
public import Postgres

/// Lists the public keys that blocks were signed with, the oldest first.
public struct ListSealKeys: Sendable {
    /// A key and when it came into use.
    public struct Line: Hashable, Sendable, Codable {
        /// The key.
        public let key: SealPublicKey
        /// When its first block was sealed.
        public let since: Timestamp
    }

    private let database: Database

    /// - Parameter database: of a role that may read the ledger.
    public init(database: Database) {
        self.database = database
    }

    /// All of them.
    public func callAsFunction() async throws -> [Line] {
        try await self.database.transaction(readOnly: true) { transaction in
            try await SealStore().keys(in: transaction).map { Line(key: $0.key, since: $0.since) }
        }
    }
}

import Kernel
import Postgres

/// The API keys of tills; of the secret only its SHA-256.
struct TillKeyStore: Sendable {
    struct StoredKey: Sendable {
        let id: String
        let secretHash: [UInt8]
        let store: StoreID?
        let scopes: [String]
        /// When it was issued or, later, revoked.
        let changedAt: Timestamp
        let isRevoked: Bool
    }

    func insert(_ key: StoredKey, label: String, in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            """
            insert into auth.till_key (key_id, secret_hash, store, scopes, label, issued_at)
            values (\(key.id), \(key.secretHash), \(key.store), \(key.scopes), \(label), \(key.changedAt))
            """)
    }

    /// Revokes a key; nil when there is none, or it was revoked before.
    func revoke(_ id: String, at now: Timestamp, in transaction: borrowing Transaction) async throws -> StoredKey? {
        try await transaction.first(
            """
            update auth.till_key
            set revoked_at = \(now)
            where key_id = \(id) and revoked_at is null
            returning key_id, secret_hash, store, scopes, revoked_at, true
            """
        ).map(Self.key)
    }

    func find(_ id: String, in transaction: borrowing Transaction) async throws -> StoredKey? {
        try await transaction.first(
            """
            select key_id, secret_hash, store, scopes, coalesce(revoked_at, issued_at), revoked_at is not null
            from auth.till_key
            where key_id = \(id)
            """
        ).map(Self.key)
    }

    private static func key(_ row: Row) throws -> StoredKey {
        let (id, hash, store, scopes, changedAt, isRevoked) = try row.decode(
            String.self, [UInt8].self, StoreID?.self, [String].self, Timestamp.self, Bool.self)
        return StoredKey(
            id: id, secretHash: hash, store: store, scopes: scopes, changedAt: changedAt, isRevoked: isRevoked)
    }
}

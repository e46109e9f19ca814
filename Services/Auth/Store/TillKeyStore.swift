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

    /// A key in use that has no successor yet, under its row lock, with its label.
    func lock(_ id: String, in transaction: borrowing Transaction) async throws -> (key: StoredKey, label: String)? {
        let row = try await transaction.first(
            """
            select key_id, secret_hash, store, scopes, issued_at, false, label
            from auth.till_key
            where key_id = \(id) and revoked_at is null and retires_at is null
            for update
            """)
        guard let row else { return nil }
        let (id, hash, store, scopes, changedAt, isRevoked, label) = try row.decode(
            String.self, [UInt8].self, StoreID?.self, [String].self, Timestamp.self, Bool.self, String.self)
        let key = StoredKey(
            id: id, secretHash: hash, store: store, scopes: scopes, changedAt: changedAt, isRevoked: isRevoked)
        return (key, label)
    }

    func succeed(
        _ id: String, by successor: String, retiresAt: Timestamp, in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            update auth.till_key
            set successor = \(successor), retires_at = \(retiresAt)
            where key_id = \(id)
            """)
    }

    /// Revokes the keys whose time is over.
    func retire(at now: Timestamp, in transaction: borrowing Transaction) async throws -> [StoredKey] {
        try await transaction.query(
            """
            update auth.till_key
            set revoked_at = \(now)
            where retires_at <= \(now) and revoked_at is null
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

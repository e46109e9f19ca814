import Kernel
import Postgres

/// The projection of auth's till keys.
struct TillKeyStore: Sendable {
    struct Key: Hashable, Sendable {
        let id: String
        /// SHA-256 of the secret.
        let hash: [UInt8]
        /// nil for a key of the chain's head office, which may deliver for any store.
        let store: StoreID?
        let scopes: Set<String>
        let isRevoked: Bool
        let changedAt: Timestamp
    }

    func key(_ id: String, in runner: borrowing some QueryRunner & ~Copyable) async throws -> Key? {
        let row = try await runner.first(
            """
            select hash, store_id, scopes, revoked, changed_at
            from gift_certificates.till_key
            where till_key = \(id)
            """)
        guard let row else { return nil }
        let (hash, store, scopes, isRevoked, changedAt) = try row.decode(
            [UInt8].self, String?.self, [String].self, Bool.self, Timestamp.self)
        return Key(
            id: id, hash: hash, store: store.flatMap { StoreID($0) }, scopes: Set(scopes), isRevoked: isRevoked,
            changedAt: changedAt)
    }

    /// Writes a key down unless something newer is known of it: events may arrive in any order, and a key that was
    /// revoked must not come back.
    func upsert(_ key: Key, in runner: borrowing some QueryRunner & ~Copyable) async throws {
        try await runner.execute(
            """
            insert into gift_certificates.till_key (till_key, hash, store_id, scopes, revoked, changed_at)
            values (
                \(key.id), \(key.hash), \(key.store?.text), \(key.scopes.sorted()), \(key.isRevoked), \(key.changedAt)
            )
            on conflict (till_key) do update
            set hash = excluded.hash, store_id = excluded.store_id, scopes = excluded.scopes,
                revoked = excluded.revoked, changed_at = excluded.changed_at
            where gift_certificates.till_key.changed_at < excluded.changed_at
            """)
    }
}

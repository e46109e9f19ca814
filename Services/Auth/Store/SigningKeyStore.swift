import Kernel
import Postgres

/// The Ed25519 keys that tokens are signed with; private halves only sealed.
struct SigningKeyStore: Sendable {
    struct StoredKey: Sendable {
        let id: String
        let publicKey: [UInt8]
        let sealedPrivateKey: [UInt8]?
        let createdAt: Timestamp
        let signsFrom: Timestamp
        /// nil for the newest key.
        let signsUntil: Timestamp?
    }

    /// Every key, oldest first.
    func all<Runner: QueryRunner & ~Copyable>(on runner: borrowing Runner) async throws -> [StoredKey] {
        try await runner.query(
            """
            select key_id, public_key, private_key, created_at, signs_from, signs_until
            from auth.signing_key
            order by signs_from, created_at
            """
        ).map { row in
            let (id, publicKey, sealed, created, from, until) = try row.decode(
                String.self, [UInt8].self, [UInt8]?.self, Timestamp.self, Timestamp.self, Timestamp?.self)
            return StoredKey(
                id: id, publicKey: publicKey, sealedPrivateKey: sealed, createdAt: created, signsFrom: from,
                signsUntil: until)
        }
    }

    /// Keeps two processes from making a key at once; readers are not held up.
    func lock(in transaction: borrowing Transaction) async throws {
        try await transaction.execute("lock table auth.signing_key in share row exclusive mode")
    }

    /// Makes `key` the newest; the one before it signs until then.
    func succeed(with key: StoredKey, in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            """
            update auth.signing_key
            set signs_until = \(key.signsFrom)
            where signs_until is null
            """)
        try await transaction.execute(
            """
            insert into auth.signing_key (key_id, public_key, private_key, created_at, signs_from)
            values (\(key.id), \(key.publicKey), \(key.sealedPrivateKey), \(key.createdAt), \(key.signsFrom))
            """)
    }

    /// Destroys what is not needed any more: private halves of keys that stopped signing, and whole keys whose last
    /// token has expired.
    func retire(tokenLifetime: Duration, at now: Timestamp, in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            """
            update auth.signing_key
            set private_key = null
            where signs_until <= \(now) and private_key is not null
            """)
        try await transaction.execute(
            """
            delete from auth.signing_key
            where signs_until <= \(now - tokenLifetime)
            """)
    }
}

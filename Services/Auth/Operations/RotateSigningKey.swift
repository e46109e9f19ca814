import Crypto
import FoundationEssentials
import Kernel
import Postgres

/// Makes the next signing key when it is time, and destroys what old keys no longer need.
struct RotateSigningKey: Sendable {
    let database: Database
    let clock: any WallClock
    let random: RandomBytes
    let vault: Vault
    let rules: TokenRules

    enum Occasion: Sendable {
        /// There is no key, or the newest has signed long enough.
        case whenDue
        /// At once, as after a suspicion. The new key still waits until it has been published for a while.
        case asked
    }

    /// - Returns: whether a key was made.
    @discardableResult
    func callAsFunction(_ occasion: Occasion) async throws -> Bool {
        let now = self.clock.now
        return try await self.database.transaction { transaction in
            let store = SigningKeyStore()
            try await store.lock(in: transaction)
            let newest = try await store.all(on: transaction).last
            let isMade = self.needsKey(after: newest, occasion, at: now)
            if isMade {
                let signsFrom = newest == nil ? now : now + self.rules.publishAhead
                try await store.succeed(with: try self.makeKey(signsFrom: signsFrom, at: now), in: transaction)
            }
            try await store.retire(tokenLifetime: self.rules.keyRetention, at: now, in: transaction)
            return isMade
        }
    }

    private func needsKey(after newest: SigningKeyStore.StoredKey?, _ occasion: Occasion, at now: Timestamp) -> Bool {
        // A key that waits for its turn is the next key already.
        guard let newest else { return true }
        guard newest.signsFrom <= now else { return false }
        switch occasion {
        case .asked: return true
        case .whenDue: return newest.signsFrom + self.rules.keyRotation <= now
        }
    }

    private func makeKey(signsFrom: Timestamp, at now: Timestamp) throws -> SigningKeyStore.StoredKey {
        let key = Curve25519.Signing.PrivateKey()
        let id = Base64URL.encode(self.random.next(9))
        return SigningKeyStore.StoredKey(
            id: id, publicKey: Array(key.publicKey.rawRepresentation),
            sealedPrivateKey: try self.vault.seal(Array(key.rawRepresentation), at: SigningKeyStore.place(of: id)),
            createdAt: now, signsFrom: signsFrom, signsUntil: nil)
    }
}

extension SigningKeyStore {
    /// What a sealed private key is bound to.
    static func place(of id: String) -> String { "signing_key.private_key/\(id)" }
}

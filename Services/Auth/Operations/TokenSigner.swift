import Crypto
import FoundationEssentials
import JWTKit
import Kernel
import Postgres
import Web

/// A signed token and when it stops being accepted.
struct SignedToken: Sendable {
    let text: String
    let expiresAt: Timestamp
}

/// Signs access and card tokens with the current key and publishes the public keys. Keeps the key ring for a moment, so
/// that a login does not cost a look at it; a new key is published well before it signs, so an older copy does no harm.
actor TokenSigner {
    private let database: Database
    private let clock: any WallClock
    private let vault: Vault
    private let rotate: RotateSigningKey
    private let rules: TokenRules
    private var ring: KeyRing?

    /// How long the key ring is kept.
    static let keep = Duration.seconds(30)

    private struct KeyRing {
        let keys: [SigningKeyStore.StoredKey]
        let readAt: Timestamp
    }

    init(database: Database, clock: any WallClock, vault: Vault, rotate: RotateSigningKey, rules: TokenRules) {
        self.database = database
        self.clock = clock
        self.vault = vault
        self.rotate = rotate
        self.rules = rules
    }

    func signAccessToken(member: Member.ID, session: Session.ID) async throws -> SignedToken {
        let now = self.clock.now
        let token = AccessToken(
            member: member, session: session, expiresAt: (now + self.rules.accessLifetime).wholeSecond, level: .basic)
        let text = try await self.sign(AccessTokenClaims(token, issuedAt: now), at: now)
        return SignedToken(text: text, expiresAt: token.expiresAt)
    }

    func signCardToken(member: Member.ID, session: Session.ID, id: UUID) async throws -> SignedToken {
        let now = self.clock.now
        let token = CardToken(
            member: member, id: id.uuidString.lowercased(),
            expiresAt: (now + self.rules.cardTokenLifetime).wholeSecond, session: session)
        let text = try await self.sign(CardTokenClaims(token, issuedAt: now), at: now)
        return SignedToken(text: text, expiresAt: token.expiresAt)
    }

    func signStaffToken(staff: Staff.ID, roles: Set<StaffRole>, session: Session.ID) async throws -> SignedToken {
        let now = self.clock.now
        let token = StaffToken(
            staff: staff, roles: roles, expiresAt: (now + self.rules.accessLifetime).wholeSecond, session: session)
        let text = try await self.sign(StaffTokenClaims(token, issuedAt: now), at: now)
        return SignedToken(text: text, expiresAt: token.expiresAt)
    }

    /// The public keys that a valid token may be signed with, as a JSON Web Key Set (RFC 7517, RFC 8037).
    func publicKeys() async throws -> String {
        let now = self.clock.now
        let keys = try await self.keys(at: now).filter { key in
            key.signsUntil.map { $0 + self.rules.keyRetention > now } ?? true
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let set = PublicKeySet(keys: keys.map { PublicKeySet.Key(kid: $0.id, x: Base64URL.encode($0.publicKey)) })
        return String(decoding: try encoder.encode(set), as: UTF8.self)
    }

    private func sign<Claims: JWTPayload>(_ claims: Claims, at now: Timestamp) async throws -> String {
        let key = try await self.signingKey(at: now)
        guard let sealed = key.sealedPrivateKey else { throw NoSigningKey() }
        let raw = try self.vault.open(sealed, at: SigningKeyStore.place(of: key.id))
        let kid = JWKIdentifier(string: key.id)
        let privateKey = EdDSA.PrivateKey(backing: try Curve25519.Signing.PrivateKey(rawRepresentation: raw))
        return try await JWTKeyCollection().add(eddsa: privateKey, kid: kid).sign(claims, kid: kid)
    }

    private func signingKey(at now: Timestamp) async throws -> SigningKeyStore.StoredKey {
        func current(_ keys: [SigningKeyStore.StoredKey]) -> SigningKeyStore.StoredKey? {
            keys.last { $0.signsFrom <= now && $0.sealedPrivateKey != nil }
        }
        if let key = current(try await self.keys(at: now)) { return key }
        // The very first token: nobody has made a key yet.
        try await self.rotate(.whenDue)
        self.ring = nil
        guard let key = current(try await self.keys(at: now)) else { throw NoSigningKey() }
        return key
    }

    private func keys(at now: Timestamp) async throws -> [SigningKeyStore.StoredKey] {
        if let ring = self.ring, ring.readAt + Self.keep > now, ring.readAt <= now { return ring.keys }
        let keys = try await SigningKeyStore().all(on: self.database)
        // Another task may have read meanwhile: both read the same table, either answer will do.
        self.ring = KeyRing(keys: keys, readAt: now)
        return keys
    }

    /// There is no key to sign with, although one was just made: the table is not what this code expects.
    struct NoSigningKey: Error {}
}

/// A JSON Web Key Set of Ed25519 keys (RFC 8037, 2).
private struct PublicKeySet: Encodable {
    let keys: [Key]

    struct Key: Encodable {
        let kid: String
        let x: String
        let kty = "OKP"
        let crv = "Ed25519"
        let alg = "EdDSA"
        let use = "sig"
    }
}

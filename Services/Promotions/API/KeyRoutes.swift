import Hummingbird
import Kernel
import Web

/// The public keys with which tills verify tokens while they are offline.
struct KeyRoutes: Sendable {
    private let signer: CouponSigner
    private let signingKeys: @Sendable () async throws -> String

    init(signer: CouponSigner, signingKeys: @escaping @Sendable () async throws -> String) {
        (self.signer, self.signingKeys) = (signer, signingKeys)
    }

    func add(to group: RouterGroup<ClubRequestContext>) {
        group.get("keys") { _, _ in
            let coupons = PublicKey(
                kid: self.signer.id, x: Base64URL.encode(self.signer.publicKey), use: "coupon")
            let cards = try StrictJSON.decode(KeySet.self, bytes: Array(try await self.signingKeys().utf8))
            return try Answer.json(
                KeySet(keys: [coupons] + cards.keys.map { PublicKey(kid: $0.kid, x: $0.x, use: "card") }))
        }
    }
}

/// RFC 7517 and RFC 8037.
struct KeySet: Codable, Sendable {
    let keys: [PublicKey]
}

struct PublicKey: Codable, Sendable {
    let kty: String
    let crv: String
    let alg: String?
    let kid: String
    let x: String
    /// What the key signs here: `coupon` or `card`.
    let use: String?

    init(kid: String, x: String, use: String) {
        (self.kty, self.crv, self.alg) = ("OKP", "Ed25519", "EdDSA")
        (self.kid, self.x, self.use) = (kid, x, use)
    }
}

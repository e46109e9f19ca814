import Crypto
import FoundationEssentials
import Kernel

/// The key that signs the tokens of coupons (Ed25519, RFC 8032). It is made of a secret that every process of the service
/// has, so that all of them sign with the same key and none has to be written down.
struct CouponSigner: Sendable {
    private let key: Curve25519.Signing.PrivateKey
    /// Names the key: the first bytes of the SHA-256 of its public half.
    let id: String

    /// - Throws: for a secret that no key can be made of.
    init(_ secret: Secret) throws {
        let seed = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: secret.reveal()), info: Data("club coupon tokens 1".utf8),
            outputByteCount: 32)
        self.key = try Curve25519.Signing.PrivateKey(rawRepresentation: seed.withUnsafeBytes { Data($0) })
        self.id = Base64URL.encode(Array(SHA256.hash(data: self.key.publicKey.rawRepresentation).prefix(9)))
    }

    /// The public half, for tills that verify offline.
    var publicKey: [UInt8] { Array(self.key.publicKey.rawRepresentation) }

    /// A token for a coupon, good for a minute.
    func token(for coupon: Coupon.ID, nonce: [UInt8], at now: Timestamp) throws -> (text: String, expiresAt: Timestamp)
    {
        let expiresAt = Timestamp(secondsSince1970: (now + CouponToken.lifetime).secondsSince1970)
        let token = CouponToken(coupon: coupon, key: self.id, nonce: Base64URL.encode(nonce), expiresAt: expiresAt)
        let signed = try token.signed()
        let signature = try self.key.signature(for: Data(signed.utf8))
        return ("\(signed).\(Base64URL.encode(Array(signature)))", expiresAt)
    }

    /// The token that a till has read.
    ///
    /// - Throws: `CouponRefusal.invalidToken` or `.tokenExpired`.
    func verify(_ text: String, at now: Timestamp) throws(CouponRefusal) -> CouponToken {
        guard let (token, signed, signature) = CouponToken.parse(text), token.key == self.id,
            self.key.publicKey.isValidSignature(Data(signature), for: Data(signed.utf8))
        else { throw .invalidToken }
        guard now < token.expiresAt else { throw .tokenExpired }
        return token
    }
}

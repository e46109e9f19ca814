import FoundationEssentials
import Kernel

/// What the QR code of a coupon says: `PK1.<payload>.<signature>`, both parts in base64url, the signature Ed25519 over
/// everything before the last point. A till that is offline can verify it with the public key alone.
struct CouponToken: Hashable, Sendable {
    /// How long a token lives: a photograph of it is of no use.
    static let lifetime = Duration.seconds(60)
    /// Longer texts are no tokens of ours.
    static let lengthMax = 512
    private static let prefix = "PK1"

    let coupon: Coupon.ID
    /// Names the key that signed.
    let key: String
    /// A token is taken once.
    let nonce: String
    let expiresAt: Timestamp

    private struct Payload: Codable {
        let c: Coupon.ID
        let k: String
        let n: String
        let e: Int64
    }

    /// What is signed.
    func signed() throws -> String {
        let payload = Payload(c: self.coupon, k: self.key, n: self.nonce, e: self.expiresAt.secondsSince1970)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return "\(Self.prefix).\(Base64URL.encode(Array(try encoder.encode(payload))))"
    }

    /// Reads a token's parts without believing them; nil for what is no token.
    static func parse(_ text: String) -> (token: CouponToken, signed: String, signature: [UInt8])? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard text.utf8.count <= Self.lengthMax, parts.count == 3, parts[0] == Self.prefix,
            let json = Base64URL.decode(parts[1]), let signature = Base64URL.decode(parts[2]), signature.count == 64,
            let payload = try? JSONDecoder().decode(Payload.self, from: Data(json)), 1...64 ~= payload.n.utf8.count
        else { return nil }
        let token = CouponToken(
            coupon: payload.c, key: payload.k, nonce: payload.n,
            expiresAt: Timestamp(secondsSince1970: payload.e))
        return (token, "\(parts[0]).\(parts[1])", signature)
    }
}

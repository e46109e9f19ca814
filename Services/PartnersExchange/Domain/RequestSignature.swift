import Crypto
import FoundationEssentials
import Kernel

/// How partner and we sign what we send each other: HMAC-SHA256 over method, path, moment and body.
///
/// ```
/// Club-Timestamp: 1796000000
/// Club-Signature: base64url(HMAC-SHA256(secret, "POST\n/orders\n1796000000\n" + hex(SHA-256(body))))
/// ```
enum RequestSignature {
    static let timestampHeader = "Club-Timestamp"
    static let signatureHeader = "Club-Signature"
    /// How old or how far ahead a signature may be.
    static let tolerance = Duration.seconds(300)

    static func sign(
        method: String, path: String, body: [UInt8], at moment: Timestamp, secret: String
    ) -> (timestamp: String, signature: String) {
        let timestamp = String(moment.secondsSince1970)
        return (timestamp, Base64URL.encode(Self.code(method, path, body, timestamp, secret)))
    }

    /// Whether somebody who has the secret has signed exactly this a short while ago.
    static func isRight(
        method: String, path: String, body: [UInt8], timestamp: String?, signature: String?, secret: String,
        at now: Timestamp
    ) -> Bool {
        guard let timestamp, let signature, let seconds = Int64(timestamp),
            let presented = Base64URL.decode(signature),
            let age = Self.distance(Timestamp(secondsSince1970: seconds), now), age <= Self.tolerance
        else { return false }
        return ConstantTime.equal(presented, Self.code(method, path, body, timestamp, secret))
    }

    private static func distance(_ left: Timestamp, _ right: Timestamp) -> Duration? {
        left < right ? right - left : left - right
    }

    private static func code(
        _ method: String, _ path: String, _ body: [UInt8], _ timestamp: String, _ secret: String
    ) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        let digest = SHA256.hash(data: Data(body)).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        let text = Array("\(method)\n\(path)\n\(timestamp)\n".utf8) + digest
        return Array(HMAC<SHA256>.authenticationCode(for: text, using: SymmetricKey(data: Array(secret.utf8))))
    }
}

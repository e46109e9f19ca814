import Crypto
import FoundationEssentials
public import Kernel

/// A request signed with an API key instead of carrying it, so that nothing between the till and us ever sees the secret:
///
/// ```
/// Authorization: Club-HMAC-SHA256 key=<id>, time=<seconds since 1970>, nonce=<8…64 letters, digits, - and _>,
///     signature=<base64url>
/// ```
///
/// The signature is HMAC-SHA-256 under the SHA-256 of the secret part of `ck_<id>_<secret>` over the lines
/// `Club-HMAC-SHA256`, method, path with query, time, nonce and the SHA-256 of the body in base64url, each but the last ended by LF.
public struct RequestSignature: Sendable {
    /// The authentication scheme.
    public static let scheme = "Club-HMAC-SHA256"
    /// How far the time may be from ours, either way.
    public static let window = Duration.seconds(300)

    let key: String
    let time: Timestamp
    let nonce: String
    private let timeText: String
    private let signature: [UInt8]

    /// nil for a header that is none of this scheme or not whole.
    init?(authorization header: String) {
        guard header.utf8.count <= 512, let space = header.firstIndex(of: " "),
            header[..<space].lowercased() == Self.scheme.lowercased()
        else { return nil }
        var fields: [String: String] = [:]
        for part in header[space...].split(separator: ",") {
            let field = part.drop { $0 == " " }
            guard let equals = field.firstIndex(of: "=") else { return nil }
            let name = String(field[..<equals])
            guard fields.updateValue(String(field[field.index(after: equals)...]), forKey: name) == nil else {
                return nil
            }
        }
        guard fields.count == 4, let key = fields["key"], let timeText = fields["time"], let nonce = fields["nonce"],
            let signature = fields["signature"].flatMap({ Base64URL.decode($0) }), signature.count == 32,
            let seconds = Int64(timeText), Self.isNonce(nonce), !key.isEmpty
        else { return nil }
        self.key = key
        self.time = Timestamp(secondsSince1970: seconds)
        (self.timeText, self.nonce, self.signature) = (timeText, nonce, signature)
    }

    private static func isNonce(_ text: String) -> Bool {
        8...64 ~= text.utf8.count
            && text.utf8.allSatisfy {
                0x30...0x39 ~= $0 || 0x41...0x5a ~= $0 || 0x61...0x7a ~= $0 || $0 == 0x2d || $0 == 0x5f
            }
    }

    /// Whether it was made with the key of that hash for this very request; in constant time.
    func isRight(hash: [UInt8], method: String, target: String, body: [UInt8]) -> Bool {
        let expected = Self.signature(
            hash: hash, method: method, target: target, time: self.timeText, nonce: self.nonce, body: body)
        return ConstantTime.equal(expected, self.signature)
    }

    /// The header of a request, as a till makes it.
    /// - Parameters:
    ///   - key: the whole key, `ck_<id>_<secret>`.
    ///   - target: path and query as they stand in the request.
    /// - Returns: nil for a text that is no key.
    public static func authorization(
        key: Secret, method: String, target: String, body: [UInt8], at now: Timestamp, nonce: String
    ) -> String? {
        let parts = key.text.split(separator: "_", maxSplits: 2)
        guard parts.count == 3, parts[0] == "ck" else { return nil }
        let time = "\(now.secondsSince1970)"
        let hash = Array(SHA256.hash(data: Data(parts[2].utf8)))
        let signature = Self.signature(
            hash: hash, method: method, target: target, time: time, nonce: nonce, body: body)
        return "\(Self.scheme) key=\(parts[1]), time=\(time), nonce=\(nonce), "
            + "signature=\(Base64URL.encode(signature))"
    }

    private static func signature(
        hash: [UInt8], method: String, target: String, time: String, nonce: String, body: [UInt8]
    ) -> [UInt8] {
        let digest = Base64URL.encode(Array(SHA256.hash(data: Data(body))))
        let text = [Self.scheme, method, target, time, nonce, digest].joined(separator: "\n")
        return Array(HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: SymmetricKey(data: hash)))
    }
}

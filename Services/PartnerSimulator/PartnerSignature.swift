internal import Crypto
internal import FoundationEssentials

/// Signs and checks as the partner's side understands the agreement: HMAC-SHA256, in base64url, over method, path, moment
/// and the body's SHA-256 in hexadecimal, a line each.
struct PartnerSignature: Sendable {
    let secret: String

    func sign(_ method: String, _ path: String, _ timestamp: String, _ body: [UInt8]) -> String {
        var lines = Data("\(method)\n\(path)\n\(timestamp)\n".utf8)
        for byte in SHA256.hash(data: body) {
            let digits = String(byte, radix: 16)
            lines.append(contentsOf: (digits.utf8.count == 1 ? "0" + digits : digits).utf8)
        }
        let code = HMAC<SHA256>.authenticationCode(for: lines, using: SymmetricKey(data: Data(self.secret.utf8)))
        return Data(code).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
            .replacing("=", with: "")
    }

    func isRight(
        _ method: String, _ path: String, _ timestamp: String?, _ signature: String?, _ body: [UInt8]
    ) -> Bool {
        guard let timestamp, let signature else { return false }
        return self.sign(method, path, timestamp, body) == signature
    }
}

import Crypto
import FoundationEssentials
import Kernel

/// What PostgreSQL keeps of a password (RFC 5802, RFC 7677): made here, so that a password never travels in a statement
/// that the server might log.
struct ScramVerifier: Sendable, Equatable, CustomStringConvertible {
    /// `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`, as in pg_authid.rolpassword.
    let description: String

    /// What PostgreSQL itself uses.
    static let iterations = 4096

    /// - Parameter password: ASCII, so that no normalisation (SASLprep) changes it.
    init(password: Secret, salt: [UInt8]) {
        let salted = Self.salted(password, salt: salt)
        let storedKey = SHA256.hash(data: Self.mac("Client Key", key: salted))
        let serverKey = Self.mac("Server Key", key: salted)
        let texts = [Data(salt), Data(storedKey), Data(serverKey)].map { $0.base64EncodedString() }
        self.description = "SCRAM-SHA-256$\(Self.iterations):\(texts[0])$\(texts[1]):\(texts[2])"
    }

    /// Whether what the server keeps was made from this password.
    static func matches(_ stored: String, password: Secret) -> Bool {
        let parts = stored.split(separator: "$")
        guard parts.count == 3, parts[0] == "SCRAM-SHA-256" else { return false }
        let fields = parts[1].split(separator: ":")
        guard fields.count == 2, fields[0] == "\(Self.iterations)", let salt = Data(base64Encoded: String(fields[1]))
        else { return false }
        return ScramVerifier(password: password, salt: Array(salt)).description == stored
    }

    /// PBKDF2 with HMAC-SHA-256 and one block, which is what SCRAM calls Hi().
    private static func salted(_ password: Secret, salt: [UInt8]) -> [UInt8] {
        let key = SymmetricKey(data: password.reveal())
        var block = Array(HMAC<SHA256>.authenticationCode(for: salt + [0, 0, 0, 1], using: key))
        var result = block
        for _ in 1..<Self.iterations {
            block = Array(HMAC<SHA256>.authenticationCode(for: block, using: key))
            for index in result.indices { result[index] ^= block[index] }
        }
        return result
    }

    private static func mac(_ text: String, key: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: SymmetricKey(data: key)))
    }
}

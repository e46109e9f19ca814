import Crypto
import Kernel

/// The Ed25519 key that settlement files are signed with (RFC 8032).
struct SettlementKey: Sendable {
    /// The public half, under its name.
    let publicKey: SettlementPublicKey
    private let seed: [UInt8]

    /// Derives the key from a secret: another secret is another key.
    init(_ secret: Secret) throws {
        let seed = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: secret.reveal()), info: Array("club.charity.settlement.v1".utf8),
            outputByteCount: 32)
        self.seed = seed.withUnsafeBytes { Array($0) }
        let key = try Curve25519.Signing.PrivateKey(rawRepresentation: self.seed)
        self.publicKey = SettlementPublicKey(Array(key.publicKey.rawRepresentation))
    }

    func signature(of bytes: [UInt8]) throws -> [UInt8] {
        Array(try Curve25519.Signing.PrivateKey(rawRepresentation: self.seed).signature(for: bytes))
    }

    static func hash(of bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }
}

/// The public half, named by its own hash: a name stands for one key for ever.
struct SettlementPublicKey: Hashable, Sendable {
    let id: String
    /// 32 bytes.
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        self.id = Base64URL.encode(Array(SHA256.hash(data: bytes).prefix(12)))
    }

    func isSignature(_ signature: [UInt8], of bytes: [UInt8]) -> Bool {
        guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: self.bytes) else { return false }
        return key.isValidSignature(signature, for: bytes)
    }
}

internal import Crypto
internal import Kernel

/// The Ed25519 key that this process signs blocks with.
struct SealKey: Sendable {
    /// The public half, under its name.
    let publicKey: SealPublicKey
    private let seed: [UInt8]

    /// Derives the key from a secret: another secret is another key, and that is how keys are changed.
    init(_ secret: Secret) throws {
        let seed = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: secret.reveal()), info: Array("club.ledger.seal.v1".utf8),
            outputByteCount: 32)
        self.seed = seed.withUnsafeBytes { Array($0) }
        let key = try Curve25519.Signing.PrivateKey(rawRepresentation: self.seed)
        self.publicKey = SealPublicKey(HexBytes(Array(key.publicKey.rawRepresentation)))
    }

    func signature(of bytes: [UInt8]) throws -> HexBytes {
        let key = try Curve25519.Signing.PrivateKey(rawRepresentation: self.seed)
        return HexBytes(Array(try key.signature(for: bytes)))
    }
}

/// The public half of a key that signs blocks. Its name is made of it, so a name stands for one key for ever.
public struct SealPublicKey: Hashable, Sendable, Codable {
    /// 16 characters: the beginning of the key's SHA-256 as base64url.
    public let id: String
    /// The 32 bytes of RFC 8032.
    public let publicKey: HexBytes

    init(_ publicKey: HexBytes) {
        self.init(id: Self.id(of: publicKey), publicKey: publicKey)
    }

    init(id: String, publicKey: HexBytes) {
        self.id = id
        self.publicKey = publicKey
    }

    private static func id(of publicKey: HexBytes) -> String {
        Base64URL.encode(Array(SHA256.hash(data: publicKey.bytes).prefix(12)))
    }

    /// Whether the name is made of the key.
    var isNamedRightly: Bool { self.id == Self.id(of: self.publicKey) }

    func isSignature(_ signature: HexBytes, of bytes: [UInt8]) -> Bool {
        guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: self.publicKey.bytes) else { return false }
        return key.isValidSignature(signature.bytes, for: bytes)
    }
}

import Crypto
import FoundationEssentials
import Kernel

/// 256 random bits handed to a client and kept as a SHA-256 only: refresh tokens and registration tickets. So many bits
/// need no salt and no slow hash.
struct OpaqueToken: Masked, Hashable, Sendable {
    static let byteCount = 32

    private let bytes: [UInt8]

    init(_ random: RandomBytes) { self.bytes = random.next(Self.byteCount) }

    /// From the text a client presents; nil when it cannot be one of ours.
    init?(_ text: String) {
        guard let bytes = Base64URL.decode(text), bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }

    /// What is stored.
    var hash: [UInt8] { Array(SHA256.hash(data: self.bytes)) }

    /// What the client gets.
    func reveal() -> String { Base64URL.encode(self.bytes) }

    /// Seals the token that follows this one so that only a holder of this one can read it.
    func sealSuccessor(_ successor: OpaqueToken) throws -> [UInt8] {
        try Envelope.seal(successor.bytes, at: "refresh-successor", with: self.successorKey)
    }

    func openSuccessor(_ sealed: [UInt8]) throws -> OpaqueToken {
        OpaqueToken(bytes: try Envelope.open(sealed, at: "refresh-successor", with: self.successorKey))
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private var successorKey: SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: self.bytes), info: Array("club/auth/refresh-successor".utf8),
            outputByteCount: 32)
    }

    var description: String { "***" }
}

import Crypto
import FoundationEssentials
import Kernel

/// A puzzle that costs an honest browser a second and a flood of forms a farm of machines: find a text that, behind the
/// challenge and a colon, has a SHA-256 that begins with so many zero bits (hashcash, A. Back 2002).
///
/// The challenge is signed, so that nothing is kept of those that nobody solves; a solved one is good once.
struct ProofChallenge: Hashable, Sendable {
    /// How long there is to solve it.
    static let lifetime = Duration.seconds(1800)
    private static let signatureBytes = 16

    /// 16 random bytes.
    let nonce: [UInt8]
    let bits: UInt8
    let expiresAt: Timestamp

    init(nonce: [UInt8], bits: UInt8, expiresAt: Timestamp) {
        (self.nonce, self.bits) = (nonce, bits)
        // As the text carries it.
        self.expiresAt = Timestamp(secondsSince1970: expiresAt.secondsSince1970)
    }

    /// nil unless we have signed it.
    init?(_ text: String, _ keys: SupportKeys) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard text.utf8.count <= 120, parts.count == 4, let nonce = Base64URL.decode(parts[0]), nonce.count == 16,
            let bits = UInt8(parts[1]), let seconds = Int64(parts[2]), let signature = Base64URL.decode(parts[3])
        else { return nil }
        self.init(nonce: nonce, bits: bits, expiresAt: Timestamp(secondsSince1970: seconds))
        guard
            keys.isSigned(self.message, by: signature, for: .proofOfWork, bytes: Self.signatureBytes),
            self.text(keys) == text
        else { return nil }
    }

    /// `<nonce>.<bits>.<expiry>.<signature>`.
    func text(_ keys: SupportKeys) -> String {
        let signature = keys.sign(self.message, for: .proofOfWork, bytes: Self.signatureBytes)
        return "\(self.message).\(Base64URL.encode(signature))"
    }

    private var message: String {
        "\(Base64URL.encode(self.nonce)).\(self.bits).\(self.expiresAt.secondsSince1970)"
    }

    /// Whether the text solves the puzzle.
    static func isSolved(_ challenge: String, by solution: String, bits: UInt8) -> Bool {
        guard 1...64 ~= solution.utf8.count else { return false }
        var zeros = 0
        for byte in SHA256.hash(data: Data("\(challenge):\(solution)".utf8)) {
            zeros += byte.leadingZeroBitCount
            if byte != 0 { break }
        }
        return zeros >= Int(bits)
    }
}

import Crypto
import FoundationEssentials
import Kernel

/// Everything that this service seals, signs and looks up by. The secret is not used itself: each purpose has a key of its
/// own, derived by HKDF-SHA256 (RFC 5869).
struct ExchangeVault: Sendable {
    /// The least length of the secret, in bytes.
    static let secretLength = 32

    /// The bytes are not what was sealed here. Says no more, on purpose.
    struct Damaged: Error, Hashable {}

    private static let version: UInt8 = 1

    private let sealing: SymmetricKey
    private let lookup: SymmetricKey
    private let links: SymmetricKey

    /// nil when the secret is too short.
    init?(_ secret: Secret) {
        let bytes = secret.reveal()
        guard bytes.count >= Self.secretLength else { return nil }
        self.sealing = Self.derive(from: bytes, "club/partners-exchange/sealed")
        self.lookup = Self.derive(from: bytes, "club/partners-exchange/lookup")
        self.links = Self.derive(from: bytes, "club/partners-exchange/cancel-link")
    }

    private static func derive(from secret: [UInt8], _ purpose: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: secret), info: Array(purpose.utf8), outputByteCount: 32)
    }

    /// Seals a text. `place` names what it belongs to: a value moved elsewhere does not open.
    func seal(_ text: String, at place: String) throws -> [UInt8] {
        let box = try AES.GCM.seal(Array(text.utf8), using: self.sealing, authenticating: Array(place.utf8))
        guard let combined = box.combined else { throw Damaged() }
        return [Self.version] + combined
    }

    /// - Throws: ``Damaged`` unless these are the bytes that were sealed for this place.
    func open(_ sealed: [UInt8], at place: String) throws -> String {
        guard sealed.first == Self.version, let box = try? AES.GCM.SealedBox(combined: sealed.dropFirst()),
            let bytes = try? AES.GCM.open(box, using: self.sealing, authenticating: Array(place.utf8))
        else { throw Damaged() }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The value that a text is found by within a place.
    func index(_ text: String, in place: String) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array("\(place)\n\(text)".utf8), using: self.lookup))
    }

    /// What the link of an SMS carries: whoever has it may take back this one exchange, and nothing else.
    func cancelToken(for exchange: Exchange.ID, of member: Member.ID) -> String {
        let body = "\(member)\(exchange)"
        let mac = HMAC<SHA256>.authenticationCode(for: Array(body.utf8), using: self.links)
        return Base64URL.encode(Self.bytes(member.raw) + Self.bytes(exchange.raw) + Array(mac).prefix(16))
    }

    /// Whose exchange a link takes back; nil for what is no link of ours.
    func readCancelToken(_ token: String) -> (member: Member.ID, exchange: Exchange.ID)? {
        guard token.utf8.count <= 100, let bytes = Base64URL.decode(token), bytes.count == 48 else { return nil }
        let member = Member.ID(Self.uuid(bytes[0..<16]))
        let exchange = Exchange.ID(Self.uuid(bytes[16..<32]))
        let right = Array(self.cancelToken(for: exchange, of: member).utf8)
        guard ConstantTime.equal(right, Array(token.utf8)) else { return nil }
        return (member, exchange)
    }

    private static func bytes(_ uuid: UUID) -> [UInt8] {
        withUnsafeBytes(of: uuid.uuid) { Array($0) }
    }

    private static func uuid(_ bytes: ArraySlice<UInt8>) -> UUID {
        var raw = UUID().uuid
        withUnsafeMutableBytes(of: &raw) { $0.copyBytes(from: bytes) }
        return UUID(uuid: raw)
    }
}

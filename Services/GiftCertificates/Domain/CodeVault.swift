import Crypto
import FoundationEssentials
import Kernel

/// Everything that this service finds and hides by one secret: codes and links are found by HMAC-SHA256 and shown again
/// by opening AES-256-GCM; so are the personal words of a gift. Each purpose has a key of its own (HKDF, RFC 5869).
struct CodeVault: Sendable {
    private let codes: SymmetricKey
    private let links: SymmetricKey
    private let networks: SymmetricKey
    private let sealing: SymmetricKey

    /// The least length of the secret, in bytes.
    static let secretLength = 32

    /// nil when the secret is shorter than ``secretLength``.
    init?(_ secret: Secret) {
        let bytes = secret.reveal()
        guard bytes.count >= Self.secretLength else { return nil }
        func key(_ purpose: String) -> SymmetricKey {
            HKDF<SHA256>.deriveKey(
                inputKeyMaterial: SymmetricKey(data: bytes), info: Array(purpose.utf8), outputByteCount: 32)
        }
        self.codes = key("club/gift-certificates/code")
        self.links = key("club/gift-certificates/link")
        self.networks = key("club/gift-certificates/network")
        self.sealing = key("club/gift-certificates/sealed")
    }

    /// The value a code is found by.
    func index(_ code: CertificateCode) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: code.bytes, using: self.codes))
    }

    /// The value a link is found by.
    func index(_ link: GiftLink) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: link.bytes, using: self.links))
    }

    /// The value that a network's look-ups are counted by.
    func index(network: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: network, using: self.networks))
    }

    /// What is sealed: a part of what seals it, so a value that is moved to another row or column does not open.
    enum Field: String, Sendable { case code, link, recipient, words, photo }

    /// These are not the bytes that were sealed here. Says no more, on purpose.
    struct Damaged: Error, Hashable {}

    private static let version: UInt8 = 1

    func seal(_ bytes: [UInt8], _ field: Field, of certificate: GiftCertificate.ID) throws -> [UInt8] {
        let place = Array("\(field.rawValue)/\(certificate)".utf8)
        guard let combined = try AES.GCM.seal(bytes, using: self.sealing, authenticating: place).combined else {
            throw Damaged()
        }
        return [Self.version] + combined
    }

    /// - Throws: ``Damaged``
    func open(_ sealed: [UInt8], _ field: Field, of certificate: GiftCertificate.ID) throws -> [UInt8] {
        guard sealed.first == Self.version else { throw Damaged() }
        do {
            let box = try AES.GCM.SealedBox(combined: sealed.dropFirst())
            let place = Array("\(field.rawValue)/\(certificate)".utf8)
            return Array(try AES.GCM.open(box, using: self.sealing, authenticating: place))
        } catch {
            throw Damaged()
        }
    }

    /// Seals a value as JSON. A name of its own: bytes are encodable too.
    func sealJSON(_ value: some Encodable, _ field: Field, of certificate: GiftCertificate.ID) throws -> [UInt8] {
        let bytes: [UInt8] = Array(try JSONEncoder().encode(value))
        return try self.seal(bytes, field, of: certificate)
    }

    /// - Throws: ``Damaged``
    func openJSON<Value: Decodable>(
        _ sealed: [UInt8], as _: Value.Type, _ field: Field, of certificate: GiftCertificate.ID
    ) throws -> Value {
        let bytes: [UInt8] = try self.open(sealed, field, of: certificate)
        guard let value = try? JSONDecoder().decode(Value.self, from: Data(bytes)) else { throw Damaged() }
        return value
    }
}

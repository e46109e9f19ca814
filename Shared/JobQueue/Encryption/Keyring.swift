internal import Crypto
internal import FoundationEssentials
public import Kernel

/// The keys of encrypted queues: the newest seals, each of them opens.
///
/// To change the key, first give every process the new one behind the old one, so that all can open what it seals; then
/// put it first; and take the old one away when no job and no kept result is left that it sealed.
public struct Keyring: Masked, Sendable {
    /// The least length of a key's secret, in bytes.
    public static let secretLength = 32

    private let newest: String
    private let keys: [String: SymmetricKey]

    /// - Parameter keys: the newest first. A name stands in clear beside what its key has sealed.
    /// - Throws: ``InvalidKeyring``.
    public init(_ keys: [(name: String, secret: Secret)]) throws {
        guard let newest = keys.first?.name else { throw InvalidKeyring("there is no key") }
        self.newest = newest
        self.keys = try keys.reduce(into: [:]) { known, key in
            guard (1...32).contains(key.name.utf8.count), key.name.utf8.allSatisfy(Self.isInName) else {
                throw InvalidKeyring("a key's name has 1 to 32 letters, digits and hyphens")
            }
            guard known[key.name] == nil else { throw InvalidKeyring("two keys have the name \(key.name)") }
            known[key.name] = try Self.derive(key.secret, key.name)
        }
    }

    /// Reads `name:secret` entries, the newest first, between commas, blanks or line ends; the secret is base64 of at least
    /// ``secretLength`` bytes.
    /// - Throws: ``InvalidKeyring``.
    public init(_ text: Secret) throws {
        try self.init(
            text.text.split(whereSeparator: { $0 == "," || $0.isWhitespace }).map { entry in
                let parts = entry.split(separator: ":", maxSplits: 1)
                guard parts.count == 2, let secret = Data(base64Encoded: String(parts[1])) else {
                    throw InvalidKeyring("a key is written as name:secret, with the secret in base64")
                }
                return (String(parts[0]), Secret(Array(secret)))
            })
    }

    /// Always three stars.
    public var description: String { "***" }

    func has(_ key: String) -> Bool { self.keys[key] != nil }

    /// AES-256-GCM with a random nonce, bound to the place it is for: elsewhere it does not open.
    func seal(_ text: String, at place: String) throws -> SealedText {
        guard let key = self.keys[self.newest] else { throw InvalidKeyring("there is no key") }
        let box = try AES.GCM.seal(Array(text.utf8), using: key, authenticating: Array(place.utf8))
        return SealedText(
            key: self.newest, nonce: Array(box.nonce), ciphertext: Array(box.ciphertext) + Array(box.tag))
    }

    /// The text's bytes; nil when they cannot be had: the key is not here, or this was not sealed for this place.
    func open(_ sealed: SealedText, at place: String) -> [UInt8]? {
        guard let key = self.keys[sealed.key],
            let box = try? AES.GCM.SealedBox(combined: sealed.nonce + sealed.ciphertext),
            let text = try? AES.GCM.open(box, using: key, authenticating: Array(place.utf8))
        else { return nil }
        return Array(text)
    }

    private static func derive(_ secret: Secret, _ name: String) throws -> SymmetricKey {
        let bytes = secret.reveal()
        guard bytes.count >= Self.secretLength else {
            throw InvalidKeyring("the secret of key \(name) has less than \(Self.secretLength) bytes")
        }
        return HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: bytes), info: Array("club/queue".utf8), outputByteCount: 32)
    }

    private static func isInName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}

/// Keys that are not what they should be. The description quotes no secret.
public struct InvalidKeyring: Error, Hashable, Sendable, CustomStringConvertible {
    /// Ends the sentence "The keys cannot be used: …".
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}

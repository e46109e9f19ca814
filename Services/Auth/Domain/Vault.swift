import Crypto
import FoundationEssentials
import Kernel
import Web

/// Everything that auth seals, wraps and looks up by. Holds two secrets: the master key, which wraps member keys and
/// seals what has no member; and the look-up key, under which phones and networks are indexed. Neither is used itself:
/// each purpose has its own key, derived by HKDF-SHA256 (RFC 5869).
struct Vault: Sendable {
    private let wrapping: SymmetricKey
    private let sealing: SymmetricKey
    private let phoneLookup: SymmetricKey
    private let networkLookup: SymmetricKey

    /// The least length of both secrets, in bytes.
    static let secretLength = 32

    /// - Parameters are raw secrets of at least ``secretLength`` bytes; nil when one is shorter.
    init?(master: Secret, lookup: Secret) {
        let (master, lookup) = (master.reveal(), lookup.reveal())
        guard master.count >= Self.secretLength, lookup.count >= Self.secretLength else { return nil }
        self.wrapping = Self.derive(from: master, "club/auth/member-key")
        self.sealing = Self.derive(from: master, "club/auth/sealed")
        self.phoneLookup = Self.derive(from: lookup, "club/auth/phone")
        self.networkLookup = Self.derive(from: lookup, "club/auth/network")
    }

    private static func derive(from secret: [UInt8], _ purpose: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: secret), info: Array(purpose.utf8), outputByteCount: 32)
    }

    /// The value a phone is found by.
    func index(_ phone: PhoneNumber) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array(phone.e164.utf8), using: self.phoneLookup))
    }

    /// The value that a card number without a phone is counted by. No phone has it: phones begin with a plus.
    func index(_ card: CardNumber) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array("card/\(card.digits)".utf8), using: self.phoneLookup))
    }

    /// The value by which the same person is found twice: a name without regard to case and spaces, and a birthday.
    func index(_ name: FullName, _ birthday: Birthday) -> [UInt8] {
        let parts = [name.last, name.first, name.middle ?? ""].map { $0.lowercased().filter { !$0.isWhitespace } }
        let text = "person/" + parts.joined(separator: "/").replacing("ё", with: "е") + "/\(birthday)"
        return Array(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: self.phoneLookup))
    }

    /// The value a network is counted by.
    func index(_ network: ClientNetwork) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: network.bytes, using: self.networkLookup))
    }

    /// Seals what belongs to auth itself. `place` names the row and column: a value moved elsewhere does not open.
    func seal(_ bytes: [UInt8], at place: String) throws -> [UInt8] {
        try Envelope.seal(bytes, at: place, with: self.sealing)
    }

    func open(_ sealed: [UInt8], at place: String) throws -> [UInt8] {
        try Envelope.open(sealed, at: place, with: self.sealing)
    }

    /// Seals a phone that is nobody's yet, bound to the value it is looked up by.
    func seal(_ phone: PhoneNumber) throws -> [UInt8] {
        try self.seal(Array(phone.e164.utf8), at: Self.place(phoneIndex: self.index(phone)))
    }

    /// - Throws: ``Envelope/Damaged`` unless these are the bytes that were sealed for this look-up value.
    func openPhone(_ sealed: [UInt8], index: [UInt8]) throws -> PhoneNumber {
        let text = String(decoding: try self.open(sealed, at: Self.place(phoneIndex: index)), as: UTF8.self)
        guard let phone = try? PhoneNumber(parsing: text) else { throw Envelope.Damaged() }
        return phone
    }

    private static func place(phoneIndex: [UInt8]) -> String { "phone/" + Base64URL.encode(phoneIndex) }

    /// A new key for one member's personal data, and that key wrapped for storing.
    func makeMemberKey(for member: Member.ID, random: RandomBytes) throws -> (key: MemberKey, wrapped: [UInt8]) {
        let bytes = random.next(32)
        return (
            MemberKey(member: member, bytes: bytes),
            try Envelope.seal(bytes, at: "member-key/\(member)", with: self.wrapping)
        )
    }

    func unwrap(_ wrapped: [UInt8], of member: Member.ID) throws -> MemberKey {
        MemberKey(member: member, bytes: try Envelope.open(wrapped, at: "member-key/\(member)", with: self.wrapping))
    }
}

/// The key of one member's personal fields. Erasing the member is destroying its wrapped form.
struct MemberKey: Sendable {
    private let member: Member.ID
    private let key: SymmetricKey

    fileprivate init(member: Member.ID, bytes: [UInt8]) {
        self.member = member
        self.key = SymmetricKey(data: bytes)
    }

    /// The sealed fields. The raw value is a part of what seals them: never change one.
    enum Field: String, Sendable {
        case fullName = "full-name"
        case phone
        case birthday
        case email
        /// A value in the audit of the profile.
        case change
    }

    func seal(_ text: String, field: Field) throws -> [UInt8] {
        try Envelope.seal(Array(text.utf8), at: "\(field.rawValue)/\(self.member)", with: self.key)
    }

    func open(_ sealed: [UInt8], field: Field) throws -> String {
        let place = "\(field.rawValue)/\(self.member)"
        return String(decoding: try Envelope.open(sealed, at: place, with: self.key), as: UTF8.self)
    }

    func seal(_ name: FullName) throws -> [UInt8] {
        try self.seal(String(decoding: JSONEncoder().encode(name), as: UTF8.self), field: .fullName)
    }

    func openName(_ sealed: [UInt8]) throws -> FullName {
        try JSONDecoder().decode(FullName.self, from: Data(self.open(sealed, field: .fullName).utf8))
    }
}

/// AES-256-GCM with a random nonce, the place as additional data and a leading version byte.
enum Envelope {
    /// The bytes are not what was sealed here with this key. Says no more, on purpose.
    struct Damaged: Error, Hashable {}

    private static let version: UInt8 = 1

    static func seal(_ bytes: [UInt8], at place: String, with key: SymmetricKey) throws -> [UInt8] {
        let box = try AES.GCM.seal(bytes, using: key, authenticating: Array(place.utf8))
        guard let combined = box.combined else { throw Damaged() }
        return [Self.version] + combined
    }

    static func open(_ sealed: [UInt8], at place: String, with key: SymmetricKey) throws -> [UInt8] {
        guard sealed.first == Self.version else { throw Damaged() }
        do {
            let box = try AES.GCM.SealedBox(combined: sealed.dropFirst())
            return Array(try AES.GCM.open(box, using: key, authenticating: Array(place.utf8)))
        } catch {
            throw Damaged()
        }
    }
}

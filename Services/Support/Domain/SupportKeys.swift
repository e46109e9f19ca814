import Crypto
import FoundationEssentials
import Kernel

/// What support signs, with one key for each purpose: a signature that is good for one is good for nothing else.
struct SupportKeys: Sendable {
    /// What is signed.
    enum Purpose: String, Sendable {
        case photo
        case replyAddress = "reply-address"
        case openTicket = "open-ticket"
        case proofOfWork = "proof-of-work"
    }

    private let secret: SymmetricKey

    /// - Parameter secret: at least 32 bytes.
    init(_ secret: Secret) {
        self.secret = SymmetricKey(data: Data(secret.reveal()))
    }

    /// HMAC-SHA256, cut to so many bytes.
    func sign(_ message: String, for purpose: Purpose, bytes: Int = 32) -> [UInt8] {
        let key = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: self.secret, info: Data("club support \(purpose.rawValue)".utf8), outputByteCount: 32)
        return Array(HMAC<SHA256>.authenticationCode(for: Data(message.utf8), using: key).prefix(bytes))
    }

    /// Whether we have signed this, in a time that tells nothing.
    func isSigned(_ message: String, by signature: [UInt8], for purpose: Purpose, bytes: Int = 32) -> Bool {
        ConstantTime.equal(self.sign(message, for: purpose, bytes: bytes), signature)
    }
}

/// An address under which a photo can be fetched for a short while, by whoever has it.
struct PhotoLink: Hashable, Sendable {
    /// Long enough for a page to load, too short for a link to travel.
    static let lifetime = Duration.seconds(300)

    let photo: Photo.ID
    let expiresAt: Timestamp

    /// `/v1/photos/<id>?expires=<seconds>&signature=<base64url>`.
    func path(_ keys: SupportKeys) -> String {
        let signature = Base64URL.encode(keys.sign(self.message, for: .photo))
        return "/v1/photos/\(self.photo)?expires=\(self.expiresAt.secondsSince1970)&signature=\(signature)"
    }

    /// Whether the signature is ours and the time is not over.
    func isGood(signature: String, _ keys: SupportKeys, at now: Timestamp) -> Bool {
        guard let bytes = Base64URL.decode(signature), keys.isSigned(self.message, by: bytes, for: .photo) else {
            return false
        }
        return now <= self.expiresAt
    }

    private var message: String { "\(self.photo) \(self.expiresAt.secondsSince1970)" }
}

/// What lets an asker without a login into the own ticket: its id and our signature. Who has it may read and write there.
struct OpenTicketKey: Hashable, Sendable {
    /// Nobody guesses 128 bits.
    private static let signatureBytes = 16

    let ticket: Ticket.ID

    init(_ ticket: Ticket.ID) { self.ticket = ticket }

    /// nil unless the text is a ticket's id that we have signed.
    init?(_ text: String, _ keys: SupportKeys) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard text.utf8.count <= 100, parts.count == 2, let ticket = Ticket.ID(String(parts[0])),
            let signature = Base64URL.decode(parts[1]),
            keys.isSigned(ticket.description, by: signature, for: .openTicket, bytes: Self.signatureBytes)
        else { return nil }
        self.ticket = ticket
    }

    /// `<id>.<signature>`.
    func text(_ keys: SupportKeys) -> String {
        let signature = keys.sign(self.ticket.description, for: .openTicket, bytes: Self.signatureBytes)
        return "\(self.ticket).\(Base64URL.encode(signature))"
    }
}

/// A picture that came with a ticket.
enum Photo {
    /// Given when it is stored.
    typealias ID = Identifier<Photo>
}

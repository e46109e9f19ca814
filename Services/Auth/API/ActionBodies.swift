import Kernel

// What the routes read and write for actions that a code confirms, and for sessions.

/// The six digits of a step-up, as the member typed them. Masked, because they may be right.
struct SixDigits: Decodable, Masked, Sendable {
    let digits: String

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard text.utf8.count == 6, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "a code is 6 digits")
        }
        self.digits = text
    }

    var description: String { "******" }
}

struct ConfirmationRequest: Decodable, Sendable {
    let code: SixDigits
}

/// A code is on its way; `id` names what it confirms.
struct AskedReply: Encodable, Sendable {
    let id: StepUp.ID
    let expiresAt: Timestamp
    let resendAt: Timestamp?

    init(_ asked: ConfirmAction.Asked) {
        (self.id, self.expiresAt, self.resendAt) = (asked.id, asked.expiresAt, asked.resendAt)
    }
}

struct PhoneChangeRequest: Decodable, Sendable {
    let phone: PhoneNumber
}

struct PhoneChangeReply: Encodable, Sendable {
    let id: StepUp.ID
    let expiresAt: Timestamp
    let resendAt: Timestamp?
    /// The code to the new phone; `POST /v1/challenges/{challenge}/resend` sends it again.
    let newPhone: ChallengeReply

    init(_ begun: ChangePhone.Begun) {
        (self.id, self.expiresAt) = (begun.change.id, begun.change.expiresAt)
        self.resendAt = begun.change.resendAt
        self.newPhone = ChallengeReply(begun.challenge)
    }
}

struct PhoneChangeConfirmation: Decodable, Sendable {
    let oldPhoneCode: SixDigits
    let newPhoneCode: SixDigits
}

struct PrintedCardRequest: Decodable, Sendable {
    let card: CardNumber
}

struct SessionsReply: Encodable, Sendable {
    let sessions: [Entry]

    struct Entry: Encodable, Sendable {
        let session: Session.ID
        let device: String
        let createdAt: Timestamp
        let usedAt: Timestamp
        /// The session of the request.
        let isCurrent: Bool
    }

    init(_ listed: [SessionStore.Listed], current: Session.ID) {
        self.sessions = listed.map { entry in
            Entry(
                session: entry.session, device: entry.device, createdAt: entry.createdAt, usedAt: entry.usedAt,
                isCurrent: entry.session == current)
        }
    }
}

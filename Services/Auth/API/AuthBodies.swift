import Kernel

// What the routes of auth read and write. The reading side is parsed by the types of Kernel; openapi.yaml describes
// both.

/// A phone, or a card whose member has one.
enum ChallengeRequest: Decodable, Sendable {
    case phone(PhoneNumber)
    case card(CardNumber)

    private enum CodingKeys: String, CodingKey {
        case phone, card
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        guard let card = try container.decodeIfPresent(CardNumber.self, forKey: .card) else {
            self = .phone(try container.decode(PhoneNumber.self, forKey: .phone))
            return
        }
        guard !container.contains(.phone) else {
            throw DecodingError.dataCorruptedError(
                forKey: .card, in: container, debugDescription: "either a phone or a card")
        }
        self = .card(card)
    }
}

struct ChallengeReply: Encodable, Sendable {
    let challenge: Challenge.ID
    let expiresAt: Timestamp
    let resendAt: Timestamp?

    init(_ issued: RequestChallenge.Issued) {
        self.challenge = issued.challenge
        self.expiresAt = issued.expiresAt
        self.resendAt = issued.resendAt
    }
}

/// How far the message with the code came.
struct DeliveryReply: Encodable, Sendable {
    let state: String

    init(_ state: DeliveryState) {
        self.state =
            switch state {
            case .queued: "queued"
            case .accepted: "sent"
            case .failed: "failed"
            case .delivered: "delivered"
            }
    }
}

struct SessionRequest: Decodable, Sendable {
    let challenge: Challenge.ID
    let code: Code

    /// Four or six digits as the client typed them. Masked, because it may be right.
    struct Code: Decodable, Masked, Sendable {
        let digits: String

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            let text = try container.decode(String.self)
            guard [4, 6].contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
                throw DecodingError.dataCorruptedError(in: container, debugDescription: "a code is 4 or 6 digits")
            }
            self.digits = text
        }

        var description: String { "****" }
    }
}

struct TokensReply: Encodable, Sendable {
    let tokenType = "Bearer"
    let accessToken: String
    let accessExpiresAt: Timestamp
    let refreshToken: String
    let refreshExpiresAt: Timestamp

    init(_ tokens: Tokens) {
        self.accessToken = tokens.accessToken
        self.accessExpiresAt = tokens.accessExpiresAt
        self.refreshToken = tokens.refreshToken.reveal()
        self.refreshExpiresAt = tokens.refreshExpiresAt
    }
}

/// The phone is proved and nobody's: whoever holds this may register it.
struct RegistrationOffer: Encodable, Sendable {
    let registration: String
    let expiresAt: Timestamp
    /// The name in the support line's draft, to be confirmed or corrected.
    let draftName: FullName?
}

struct RegistrationRequest: Decodable, Sendable {
    let registration: String
    let fullName: FullName
    let birthday: Birthday?
    let card: CardNumber?
    let consents: Consents

    var application: RegisterMember.Application {
        RegisterMember.Application(
            fullName: self.fullName, birthday: self.birthday, consents: self.consents.choices, card: self.card)
    }

    struct Consents: Decodable, Sendable {
        let terms: Bool
        let personalData: Bool
        let marketing: Bool

        var choices: ConsentChoices {
            ConsentChoices(terms: self.terms, personalData: self.personalData, marketing: self.marketing)
        }
    }
}

struct RegistrationReply: Encodable, Sendable {
    let member: Member.ID
    let card: CardNumber
    let tokens: TokensReply
}

struct RefreshRequest: Decodable, Sendable {
    let refreshToken: String
}

struct ProfileReply: Encodable, Sendable {
    let member: Member.ID
    let fullName: FullName
    let phone: PhoneNumber?
    let birthday: Birthday?
    let email: EmailAddress?
    let favouriteStore: StoreID?
    let language: MemberLanguage
    /// Quiet hours are this zone's.
    let timeZone: MemberZone
    let spendingLocked: Bool
    let spendingHeldUntil: Timestamp?
    let card: CardNumber
    let registeredAt: Timestamp
    let consents: [Consent]

    struct Consent: Encodable, Sendable {
        let purpose: String
        let channel: String
        let granted: Bool
        let textVersion: String
        let recordedAt: Timestamp
    }

    init(_ profile: ShowMember.Profile) {
        self.member = profile.member
        self.fullName = profile.fullName
        self.phone = profile.phone
        self.birthday = profile.birthday
        self.email = profile.email
        self.favouriteStore = profile.favouriteStore
        self.language = profile.language
        self.timeZone = profile.zone
        self.spendingLocked = profile.isSpendingLocked
        self.spendingHeldUntil = profile.valueHeldUntil
        self.card = profile.card
        self.registeredAt = profile.registeredAt
        self.consents = profile.consents.map { consent in
            Consent(
                purpose: consent.purpose, channel: consent.channel, granted: consent.granted,
                textVersion: consent.textVersion, recordedAt: consent.recordedAt)
        }
    }
}

struct CardReply: Encodable, Sendable {
    let card: CardNumber
}

struct CardTokenReply: Encodable, Sendable {
    let token: String
    let expiresAt: Timestamp
}

import Kernel

// What the routes of the profile read and write.

struct ProfileEdit: Decodable, Sendable {
    let wishes: ProfileWishes

    private enum CodingKeys: String, CodingKey {
        case fullName, birthday, favouriteStore, language, timeZone
    }

    /// What is absent stays; `favouriteStore: null` takes it away.
    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        var wishes = ProfileWishes()
        wishes.fullName = try container.decodeIfPresent(FullName.self, forKey: .fullName)
        wishes.birthday = try container.decodeIfPresent(Birthday.self, forKey: .birthday)
        wishes.language = try container.decodeIfPresent(MemberLanguage.self, forKey: .language)
        wishes.zone = try container.decodeIfPresent(MemberZone.self, forKey: .timeZone)
        if container.contains(.favouriteStore) {
            let store = try container.decodeIfPresent(StoreID.self, forKey: .favouriteStore)
            wishes.favouriteStore = store.map { .value($0) } ?? ProfileWishes.Wish.none
        }
        self.wishes = wishes
    }
}

struct EmailRequest: Decodable, Sendable {
    let email: EmailAddress
}

/// A code by e-mail is on its way.
struct MailedReply: Encodable, Sendable {
    let id: Challenge.ID
    let expiresAt: Timestamp
}

struct ConsentRequest: Decodable, Sendable {
    let purpose: ConsentPurpose
    let channel: ConsentChannel
    let granted: Bool

    var choice: ChangeConsent.Choice {
        ChangeConsent.Choice(purpose: self.purpose, channel: self.channel, granted: self.granted)
    }
}

struct ExportReply: Encodable, Sendable {
    let profile: ProfileReply
    let cards: [Card]
    let sessions: [Session]
    let consents: [Consent]
    let changes: [Change]

    struct Card: Encodable, Sendable {
        let card: CardNumber
        let kind: String
        let state: String
        let issuedAt: Timestamp
    }

    struct Session: Encodable, Sendable {
        let session: Kernel.Session.ID
        let device: String
        let createdAt: Timestamp
        let usedAt: Timestamp
        let endedAt: Timestamp?
    }

    struct Consent: Encodable, Sendable {
        let purpose: String
        let channel: String
        let granted: Bool
        let textVersion: String
        let source: String
        let recordedAt: Timestamp
    }

    struct Change: Encodable, Sendable {
        let field: String
        let before: String?
        let after: String?
        let source: String
        let changedAt: Timestamp
    }

    init(_ all: ExportMember.Everything) {
        self.profile = ProfileReply(all.profile)
        self.cards = all.cards.map { Card(card: $0.number, kind: $0.kind, state: $0.state, issuedAt: $0.issuedAt) }
        self.sessions = all.sessions.map {
            Session(
                session: $0.session, device: $0.device, createdAt: $0.createdAt, usedAt: $0.usedAt, endedAt: $0.endedAt)
        }
        self.consents = all.consents.map {
            Consent(
                purpose: $0.purpose, channel: $0.channel, granted: $0.granted, textVersion: $0.textVersion,
                source: $0.source, recordedAt: $0.recordedAt)
        }
        self.changes = all.changes.map {
            Change(
                field: $0.field, before: $0.before, after: $0.after, source: $0.source, changedAt: $0.changedAt)
        }
    }
}

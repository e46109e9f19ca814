public import FoundationEssentials
public import Kernel

// What auth tells everybody.

/// A member got a card; from now on receipts may name it.
public struct CardIssued: Event, Hashable {
    public static let name = "auth.card-issued"

    /// Whose card it is.
    public let member: Member.ID
    /// Its number.
    public let card: CardNumber
    /// When it was issued.
    public let issuedAt: Timestamp

    /// Says that `member` got `card`.
    public init(member: Member.ID, card: CardNumber, issuedAt: Timestamp) {
        self.member = member
        self.card = card
        self.issuedAt = issuedAt
    }
}

/// A card is no longer good: another has taken its place. What was bought before still counts. A card never comes back.
public struct CardBlocked: Event, Hashable {
    public static let name = "auth.card-blocked"

    /// Whose card it was.
    public let member: Member.ID
    /// Its number.
    public let card: CardNumber
    /// Since when it is worth nothing.
    public let blockedAt: Timestamp

    /// Says that `card` is no longer good.
    public init(member: Member.ID, card: CardNumber, blockedAt: Timestamp) {
        (self.member, self.card, self.blockedAt) = (member, card, blockedAt)
    }
}

/// A till's API key was made, changed or revoked. A listener keeps the record with the latest `changedAt`.
public struct TillKeyChanged: Event, Hashable {
    public static let name = "auth.till-key-changed"

    /// The key as it is now.
    public let key: TillKeyRecord

    /// Says how `key` is now.
    public init(key: TillKeyRecord) {
        self.key = key
    }
}

/// What a service must know of an API key to let a till in: everything but the secret.
public struct TillKeyRecord: Codable, Hashable, Sendable {
    /// The part of the key that is no secret: `ck_<id>_<secret>`.
    public let id: String
    /// SHA-256 of the secret part's UTF-8; base64 in JSON.
    public let hash: Data
    /// The only store that the key speaks for; nil lets it speak for any.
    public let store: StoreID?
    /// What the key may do: `receipts`, `spend`, `import`, `certificates`; `signed` lets it do so by signatures only.
    public let scopes: [String]
    /// A revoked key opens nothing any more.
    public let revoked: Bool
    /// When the record became so; later records supersede earlier ones.
    public let changedAt: Timestamp

    /// Describes a key.
    public init(id: String, hash: Data, store: StoreID?, scopes: [String], revoked: Bool, changedAt: Timestamp) {
        self.id = id
        self.hash = hash
        self.store = store
        self.scopes = scopes
        self.revoked = revoked
        self.changedAt = changedAt
    }
}

/// Somebody has become a member.
public struct MemberJoined: Event, Hashable {
    public static let name = "auth.member-joined"

    /// Who.
    public let member: Member.ID
    /// How: `web`, `support`, `paper`, `card`.
    public let way: String
    /// When.
    public let joinedAt: Timestamp

    /// Says that `member` joined.
    public init(member: Member.ID, way: String, joinedAt: Timestamp) {
        (self.member, self.way, self.joinedAt) = (member, way, joinedAt)
    }
}

/// A member may spend, or may not any more: a lock was turned, a paper form confirmed. A listener keeps the latest.
public struct StandingChanged: Event, Hashable {
    public static let name = "auth.standing-changed"

    /// Whose.
    public let member: Member.ID
    /// The standing as it is now.
    public let standing: MemberStanding
    /// Since when.
    public let changedAt: Timestamp

    /// Says how a member stands.
    public init(member: Member.ID, standing: MemberStanding, changedAt: Timestamp) {
        (self.member, self.standing, self.changedAt) = (member, standing, changedAt)
    }
}

/// A session has ended before its tokens did: they must be refused within 5 s.
public struct SessionEnded: Event, Hashable {
    public static let name = "auth.session-ended"

    /// Which.
    public let session: Session.ID
    /// When its last access token runs out by itself: after that the session can be forgotten.
    public let forgetAt: Timestamp

    /// Says that a session has ended.
    public init(session: Session.ID, forgetAt: Timestamp) { (self.session, self.forgetAt) = (session, forgetAt) }
}

/// A member's birthday was written or corrected. Told without the year: nobody else needs to know how old somebody is.
/// A listener keeps the latest.
public struct BirthdaySet: Event, Hashable {
    public static let name = "auth.birthday-set"
    public static let isConfidential = true

    /// Whose.
    public let member: Member.ID
    /// 1…12.
    public let month: Int
    /// 1…31.
    public let day: Int
    /// When it was written.
    public let changedAt: Timestamp

    /// Says when a member's birthday is.
    public init(member: Member.ID, month: Int, day: Int, changedAt: Timestamp) {
        (self.member, self.month, self.day, self.changedAt) = (member, month, day, changedAt)
    }
}

/// A member has decided whether what they buy may be looked at (Federal Law 152-FZ, article 16). A listener keeps the latest.
public struct ProfilingChanged: Event, Hashable {
    public static let name = "auth.profiling-changed"

    /// Whose.
    public let member: Member.ID
    /// false: no list of what is bought most, no offers chosen by it.
    public let isAllowed: Bool
    /// When it was decided.
    public let changedAt: Timestamp

    /// Says what a member has decided.
    public init(member: Member.ID, isAllowed: Bool, changedAt: Timestamp) {
        (self.member, self.isAllowed, self.changedAt) = (member, isAllowed, changedAt)
    }
}

/// A member's personal data is destroyed. Whoever keeps texts, photos or lists of the member destroys them as well;
/// receipts and books keep the pseudonymous id.
public struct MemberErased: Event, Hashable {
    public static let name = "auth.member-erased"

    /// Who.
    public let member: Member.ID
    /// When.
    public let erasedAt: Timestamp

    /// Says that a member is erased.
    public init(member: Member.ID, erasedAt: Timestamp) { (self.member, self.erasedAt) = (member, erasedAt) }
}

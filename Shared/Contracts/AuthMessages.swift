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
    /// What the key may do: `receipts`, `spend`, `import`.
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

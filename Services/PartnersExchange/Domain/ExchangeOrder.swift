import Kernel

/// What an exchange is about, beside its redemption.
struct ExchangeOrder: Hashable, Sendable {
    let id: Exchange.ID
    let member: Member.ID
    let partner: String
    let offer: String
    let points: Points
    let units: Int64
    /// The member's number with the partner as it was then: sealed, for finding, for showing.
    let number: [UInt8]?
    let numberMAC: [UInt8]?
    let tail: String?
    let createdAt: Timestamp
}

/// A member's number in a partner's programme.
struct PartnerLink: Hashable, Sendable {
    let member: Member.ID
    let partner: String
    let number: [UInt8]
    let numberMAC: [UInt8]
    /// The last four digits.
    let tail: String
    let linkedAt: Timestamp
    let coolingUntil: Timestamp?

    /// What seals the number: nobody else's row opens.
    static func place(_ partner: String, _ member: Member.ID) -> String { "number/\(partner)/\(member)" }
}

/// What a person must look at.
struct WorkItem: Hashable, Sendable {
    typealias ID = Identifier<WorkItem>

    enum Kind: String, Codable, Hashable, Sendable, CaseIterable {
        /// The other side is silent for too long, or the ledger refuses: the exchange waits for a decision.
        case stuck
        /// The partner says what cannot be true beside what is written.
        case contradiction
        /// The partner names an order that is none of ours.
        case unknownOrder = "unknown-order"
        /// The partner has credited another number of units.
        case otherUnits = "other-units"
        /// We have it as credited on that day, and the partner's file has not.
        case missingAtPartner = "missing-at-partner"
        /// The ledger still has points on the clearing account of what has ended here.
        case openInClearing = "open-in-clearing"
        /// Here the points are taken, and the ledger's clearing account does not know of it.
        case missingInClearing = "missing-in-clearing"
        /// Few codes are left.
        case lowStock = "low-stock"
    }

    let id: ID
    let kind: Kind
    let partner: String
    /// What it is about: while one is open there is no second one of its kind.
    let subject: String
    let member: Member.ID?
    let exchange: Exchange.ID?
    let detail: String?
    let openedAt: Timestamp
    var closedAt: Timestamp?
    var closedBy: Staff.ID?
    var comment: String?
}

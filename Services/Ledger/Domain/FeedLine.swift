internal import Kernel

/// What kind of thing happened to a member's points.
enum TransactionKind: String, Sendable, Codable, CaseIterable {
    /// A receipt has earned points, perhaps none.
    case earn
    /// Points were reserved.
    case hold
    /// Reserved points were burnt; the rest of the reservation came back.
    case capture
    /// A reservation came back whole: given up, or its time was over.
    case void
    /// Points expired.
    case expire
    /// Points that waited became available.
    case mature
    /// Goods came back: points spent on them returned, points earned with them were taken.
    case `return`
    /// A correction that two people have agreed to.
    case adjust
    /// Everything went to another card of the same person, or came from one.
    case merge
    /// A transaction was undone.
    case reverse
    /// An exchange was settled with the partner.
    case settle
    /// Stickers were given or exchanged.
    case sticker
    /// A gift certificate was bought with money, or money of one was spent.
    case certificate
}

/// Whether points come to the member or go.
enum FeedDirection: String, Sendable, Codable, CaseIterable {
    case incoming = "in"
    case outgoing = "out"

    /// The kinds of transaction that always go this way.
    var kinds: [TransactionKind] {
        TransactionKind.allCases.filter { $0.direction == self }
    }
}

extension TransactionKind {
    /// Which way it goes; nil: that depends on what it did to the balance.
    var direction: FeedDirection? {
        switch self {
        case .earn, .void, .mature: .incoming
        case .hold, .capture, .expire, .settle, .sticker, .certificate: .outgoing
        case .return, .adjust, .merge, .reverse: nil
        }
    }

    /// Those that go either way.
    static let undirected = TransactionKind.allCases.filter { $0.direction == nil }
}

extension FeedLine {
    /// Which way it went.
    var direction: FeedDirection { self.kind.direction ?? (self.change < 0 ? .outgoing : .incoming) }
}

/// One transaction as the member sees it.
struct FeedLine: Hashable, Sendable {
    /// The transaction.
    let id: LedgerTransaction.ID
    /// The member's transactions are numbered from 1 without gaps.
    let version: Int64
    /// What happened.
    let kind: TransactionKind
    /// When it happened: for a receipt, the fiscal time.
    let effectiveAt: Timestamp
    /// When the ledger learnt of it.
    let recordedAt: Timestamp
    /// What it is about: earned, reserved, burnt, given back or expired points.
    let points: Points
    /// By how much the available balance rose, or fell when below zero.
    let change: Int64
    /// The available balance after it.
    let availableAfter: Points
    /// The receipt that it comes from.
    let receipt: FeedReceipt?
    /// The hold that it belongs to.
    let hold: FeedHold?
    /// The postings, in their order.
    let movements: [FeedMovement]
}

/// The receipt behind a feed line.
struct FeedReceipt: Hashable, Sendable {
    /// The receipt's id with promotions.
    let id: Receipt.ID
    /// Where it was.
    let store: String
    /// What was paid.
    let total: Kopecks
}

/// The hold behind a feed line.
struct FeedHold: Hashable, Sendable {
    /// The hold's id.
    let id: Hold.ID
    /// What for: `till`, `online`.
    let purpose: String
}

/// One posting: points that moved from one account to another.
struct FeedMovement: Hashable, Sendable, Codable {
    /// The account debited, by its code: `issued:purchase`.
    let from: String
    /// The account credited: `member:available`.
    let to: String
    /// How many.
    let points: Points
    /// The accrual rule that paid them.
    let rule: String?
    /// The lot they were put into or taken from.
    let lot: FeedLot?
}

/// A lot as a feed line names it.
struct FeedLot: Hashable, Sendable, Codable {
    /// The member's lots are numbered from 1.
    let number: Int
    /// `regular`, `promotional`, `grace`.
    let lotClass: String
    /// When it expires.
    let expiresAt: Timestamp
}

/// What a line is about: a receipt, a hold, or whatever else has an identity of its own.
enum FeedSubject {}

/// Which lines of the feed. They come newest first.
struct FeedQuery: Hashable, Sendable {
    /// Only lines that went before this transaction. Ids are given under the member's lock and rise, so nothing can
    /// appear behind a place in the feed later.
    var before: LedgerTransaction.ID?
    /// Only lines of this direction.
    var direction: FeedDirection?
    /// Only lines of these kinds.
    var kinds: [TransactionKind]?
    /// Only what is about this receipt or hold.
    var subject: Identifier<FeedSubject>?
    /// Only what was recorded at or after this moment and before the other.
    var recorded: Range<Timestamp>?
    /// Only what happened at or after this moment (`effectiveAt`).
    var from: Timestamp?
    /// Only what happened before this moment.
    var to: Timestamp?
    /// How many lines at most.
    var limit: Int
}

extension FeedQuery {
    /// The kinds that are asked for by themselves and by their direction, with those that go either way; nil for all.
    var chosenKinds: [TransactionKind]? {
        guard let direction = self.direction else { return self.kinds }
        return (direction.kinds + TransactionKind.undirected).filter { self.kinds?.contains($0) ?? true }
    }
}

extension FeedMovement {
    /// The account of what a member can spend.
    private static let available = "member:available"
    /// The account of what open holds reserve.
    fileprivate static let held = "member:held"

    /// What it does to the available balance.
    var change: Int64 {
        if self.to == Self.available { return self.points.amount }
        return self.from == Self.available ? -self.points.amount : 0
    }
}

extension TransactionKind {
    /// What a transaction of this kind is about: a capture is about what was burnt, not about what came back.
    func subject(of movements: [FeedMovement]) -> Points {
        let counted =
            switch self {
            // What moves beside the points (money, stickers) and what came back of the hold are not what it is about.
            case .capture: movements.filter { $0.change == 0 && $0.from == FeedMovement.held }
            case .return, .adjust, .merge, .reverse: movements.filter { $0.change != 0 }
            case .sticker, .certificate: [FeedMovement]()
            case .earn, .hold, .void, .expire, .mature, .settle: movements
            }
        return counted.reduce(.zero) { $0.adding($1.points) ?? $0 }
    }
}

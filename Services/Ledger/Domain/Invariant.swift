/// What must be true of the books at any moment. The command, the audit and the tests run the same statements.
public enum Invariant: String, Hashable, Sendable, Codable, CaseIterable {
    case postingsBalance = "I1"
    case balancesFollowPostings = "I2"
    case availableIsLots = "I3"
    case lotsFollowPostings = "I4"
    case heldIsOpenHolds = "I5"
    case nothingOverdue = "I6"
    case clearingReturnsToZero = "I7"
    case liabilityBothWays = "I8"
    case receiptsHaveOneTransaction = "I9"
    case sealsRecompute = "I10"

    /// The rule in a sentence.
    public var meaning: String {
        switch self {
        case .postingsBalance: "every posting moves one asset between two accounts and belongs to a transaction"
        case .balancesFollowPostings: "a balance is the sum of its postings, its history has no gap"
        case .availableIsLots: "available points are what remains in the lots"
        case .lotsFollowPostings: "what remains in a lot is the sum of its moves"
        case .heldIsOpenHolds: "held points are the open holds"
        case .nothingOverdue: "no lot is a day past its expiry with something left"
        case .clearingReturnsToZero: "nothing lies on a clearing account for longer than 40 days"
        case .liabilityBothWays: "what members have is what was issued and not yet burnt"
        case .receiptsHaveOneTransaction: "every receipt has exactly one earn transaction"
        case .sealsRecompute: "the sealed blocks are one chain, rightly signed, and the books are what was sealed"
        }
    }
}

/// A row that breaks an invariant: the first one found.
public struct Finding: Hashable, Sendable, Codable {
    /// Which rule.
    public let invariant: Invariant
    /// The row: its table and key.
    public let row: String
    /// What the row says, and what it should.
    public let difference: String
}

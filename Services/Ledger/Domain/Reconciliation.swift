public import Kernel

/// A line of somebody else's list of balances.
public struct StatedBalance: Hashable, Sendable {
    /// Whose.
    public let member: Member.ID
    /// What can be spent.
    public let available: Int64

    /// Says what somebody says.
    public init(member: Member.ID, available: Int64) {
        self.member = member
        self.available = available
    }
}

/// A line of somebody else's list of receipts.
public struct StatedReceipt: Hashable, Sendable {
    /// The fiscal triple.
    public let fiscal: FiscalID
    /// What was paid, when the list says so.
    public let total: Kopecks?
    /// What was earned, when the list says so.
    public let points: Int64?

    /// Says what somebody says.
    public init(fiscal: FiscalID, total: Kopecks?, points: Int64?) {
        self.fiscal = fiscal
        self.total = total
        self.points = points
    }
}

/// Something about which a list and the books do not agree.
public struct Discrepancy: Hashable, Sendable, Codable {
    /// What kind of disagreement.
    public enum Kind: String, Sendable, Codable {
        /// The list has it, the books have not.
        case missingInBooks = "missing-in-books"
        /// The books have it, the list has not.
        case missingInFile = "missing-in-file"
        /// Both have it, and say something else.
        case differs
    }

    /// What kind of disagreement.
    public let kind: Kind
    /// The member, or the fiscal triple.
    public let subject: String
    /// What the list says.
    public let file: String
    /// What the books say.
    public let books: String
}

public import Kernel

// What ledger tells everybody.

/// A receipt is in the books. Told of every receipt, also of one that earned nothing.
public struct PointsEarned: Event, Hashable {
    public static let name = "ledger.points-earned"

    /// The transaction that posted it.
    public let transaction: LedgerTransaction.ID
    /// The receipt.
    public let receipt: Receipt.ID
    /// Who earned.
    public let member: Member.ID
    /// The sum over all rules, possibly zero.
    public let points: Points
    /// When it was bought, by the fiscal drive.
    public let effectiveAt: Timestamp
    /// When the ledger learnt of it.
    public let recordedAt: Timestamp

    /// Says that a receipt was posted.
    public init(
        transaction: LedgerTransaction.ID, receipt: Receipt.ID, member: Member.ID, points: Points,
        effectiveAt: Timestamp, recordedAt: Timestamp
    ) {
        self.transaction = transaction
        self.receipt = receipt
        self.member = member
        self.points = points
        self.effectiveAt = effectiveAt
        self.recordedAt = recordedAt
    }
}

/// Points of a member will expire soon: once for each day of expiry, 30, 7 and 1 days before.
public struct PointsExpiring: Event, Hashable {
    public static let name = "ledger.points-expiring"

    /// Whose.
    public let member: Member.ID
    /// How many expire at that moment.
    public let points: Points
    /// The midnight in Moscow that ends their last day.
    public let expiresAt: Timestamp
    /// How many days before the last day this was noticed.
    public let daysBefore: Int

    /// Says that points will expire.
    public init(member: Member.ID, points: Points, expiresAt: Timestamp, daysBefore: Int) {
        (self.member, self.points, self.expiresAt, self.daysBefore) = (member, points, expiresAt, daysBefore)
    }
}

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

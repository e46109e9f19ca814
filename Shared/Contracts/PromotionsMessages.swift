public import Kernel

// What promotions sends.

/// Enter an accepted receipt into the books. `receipt` is the natural key: a receipt is posted once however often
/// this arrives. A receipt that earned nothing is posted as well, so that every accepted receipt is in the books.
public struct PostReceipt: Command, Hashable {
    public static let name = "ledger.post-receipt"
    public static let queue: QueueName = "ledger.receipts"

    /// The receipt as promotions knows it.
    public let receipt: Receipt.ID
    /// Who showed the card.
    public let member: Member.ID
    /// What the fiscal drive printed.
    public let fiscal: FiscalID
    /// Where it was bought.
    public let store: StoreID
    /// When it was bought, by the fiscal drive.
    public let effectiveAt: Timestamp
    /// The receipt's total, after discounts.
    public let total: Kopecks
    /// What was earned and why; empty when nothing was.
    public let accruals: [Accrual]
    /// The version of the ruleset that decided it.
    public let ruleset: Int64

    /// Describes a receipt to be posted.
    public init(
        receipt: Receipt.ID, member: Member.ID, fiscal: FiscalID, store: StoreID, effectiveAt: Timestamp,
        total: Kopecks, accruals: [Accrual], ruleset: Int64
    ) {
        self.receipt = receipt
        self.member = member
        self.fiscal = fiscal
        self.store = store
        self.effectiveAt = effectiveAt
        self.total = total
        self.accruals = accruals
        self.ruleset = ruleset
    }

    /// Points that one rule pays.
    public struct Accrual: Codable, Hashable, Sendable {
        /// Decides how long the points live.
        public let lotClass: LotClass
        /// How many.
        public let points: Points
        /// The rule's stable name within the ruleset.
        public let rule: String
        /// Until when the points wait: an online order's until its delivery. nil: they can be spent at once.
        public let maturesAt: Timestamp?

        /// Describes an accrual.
        public init(lotClass: LotClass, points: Points, rule: String, maturesAt: Timestamp? = nil) {
            self.lotClass = lotClass
            self.points = points
            self.rule = rule
            self.maturesAt = maturesAt
        }
    }
}

/// Kinds of points that differ in how long they live.
public enum LotClass: String, Codable, Hashable, Sendable, CaseIterable {
    /// Earned by buying: six months, to the end of the month.
    case regular
    /// Given by a promotion: 30 days.
    case promotional
    /// Earned with favourite products: 30 days.
    case favourite
    /// For a birthday: 30 days.
    case birthday
    /// For joining: 30 days.
    case welcome
    /// Taken over from the programme before: six months, to the end of the month.
    case migration
}

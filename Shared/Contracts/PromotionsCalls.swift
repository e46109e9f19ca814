public import Kernel

// What anybody may ask of promotions.

/// What became of a receipt, and what should a member have got for it? Support asks when points are missing.
public struct ExplainReceipt: Call, Hashable {
    public static let name = "promotions.explain-receipt"
    public static let queue: QueueName = "promotions.calls"
    public static let durability = CallDurability.volatile

    /// Who asks for points.
    public let member: Member.ID
    /// What the fiscal drive printed.
    public let fiscal: FiscalID

    /// Asks about a receipt.
    public init(member: Member.ID, fiscal: FiscalID) { (self.member, self.fiscal) = (member, fiscal) }

    /// What is known.
    public struct Reply: Codable, Hashable, Sendable {
        /// How the receipt stands.
        public let finding: Finding
        /// The receipt, when it is this member's or nobody's.
        public let receipt: Receipt.ID?
        /// What it earned; nil when the receipt is unknown.
        public let points: Points?
        /// Whether the books have it.
        public let isPosted: Bool
        /// Why it earned what it did, line by line, in Russian.
        public let reasons: [String]

        /// Answers.
        public init(finding: Finding, receipt: Receipt.ID?, points: Points?, isPosted: Bool, reasons: [String]) {
            (self.finding, self.receipt, self.points) = (finding, receipt, points)
            (self.isPosted, self.reasons) = (isPosted, reasons)
        }
    }

    /// How a receipt stands.
    public enum Finding: String, Codable, Hashable, Sendable {
        /// No till has delivered it.
        case unknown
        /// It was delivered with this member's card.
        case credited
        /// It was delivered with somebody else's card; nothing more is told.
        case foreign
        /// It was delivered without a card.
        case withoutCard = "without-card"
    }
}

public import Kernel

/// How much has been given for a purpose since it was opened? What came back is not in it.
public struct FetchPurposeTotals: Call, Hashable {
    public static let name = "ledger.fetch-purpose-totals"
    public static let queue: QueueName = "ledger.calls"
    public static let durability = CallDurability.volatile

    /// `partner:…` or `charity:…`.
    public let purpose: HoldPurpose

    /// Asks about `purpose`.
    public init(purpose: HoldPurpose) { self.purpose = purpose }

    /// The sums, as the books have them now; zeros for a purpose that is not open.
    public struct Reply: Codable, Hashable, Sendable {
        /// How many captures there were.
        public let count: Int64
        /// How many points they took.
        public let points: Points
        /// What is owed and was paid for them: the points' worth, and what the shop has added.
        public let kopecks: Kopecks

        /// Answers with the sums.
        public init(count: Int64, points: Points, kopecks: Kopecks) {
            (self.count, self.points, self.kopecks) = (count, points, kopecks)
        }
    }
}

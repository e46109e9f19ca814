internal import FoundationEssentials
internal import Kernel
internal import Postgres

/// What has to be done from time to time: write off expired points, make partitions.
struct UpkeepStore: Sendable {
    /// What a chunk of the expiry sweep has done.
    struct ExpiredChunk: RowDecodable {
        /// The last member looked at: the next chunk begins after it.
        let last: Member.ID
        /// How many transactions were made.
        let transactions: Int

        init(row: Row) throws {
            self.last = try row.value("last_member")
            self.transactions = Int(try row.value("transactions", as: Int32.self))
        }
    }

    /// Writes off what has expired for up to `limit` members after `last`; nil when none are left.
    func expirePoints(
        after last: Member.ID?, at now: Timestamp, limit: Int, in transaction: borrowing Transaction
    ) async throws -> ExpiredChunk? {
        try await transaction.first(
            "select last_member, transactions from ledger.expire_points(\(now), \(last), \(Int32(limit)))",
            as: ExpiredChunk.self)
    }

    /// Makes the partitions of `months` months from the one of `moment` on.
    /// - Returns: how many were missing.
    func makePartitions(
        from moment: Timestamp, months: Int, in transaction: borrowing Transaction
    ) async throws -> Int {
        let row = try await transaction.one(
            "select ledger.make_partitions(\(moment), \(Int32(months))) as made")
        return Int(try row.value("made", as: Int32.self))
    }
}

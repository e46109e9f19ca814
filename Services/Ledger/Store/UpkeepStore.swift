internal import FoundationEssentials
internal import Kernel
internal import Postgres

/// What has to be done from time to time: write off expired points, make partitions.
struct UpkeepStore: Sendable {
    /// What a chunk of the expiry sweep has done.
    struct ExpiredChunk: RowDecodable {
        /// How many members were looked at.
        let members: Int
        /// How many transactions were made.
        let transactions: Int
        /// The last member in the order of the sweep: the next chunk begins after it.
        let last: (expiry: Timestamp, member: Member.ID)

        init(row: Row) throws {
            self.members = Int(try row.value("members", as: Int32.self))
            self.transactions = Int(try row.value("transactions", as: Int32.self))
            self.last = (try row.value("last_expiry"), try row.value("last_member"))
        }
    }

    /// Writes off what has expired for up to `limit` members after `last`; nil when nobody is left whom nobody else has
    /// locked.
    func expirePoints(
        after last: (expiry: Timestamp, member: Member.ID)?, at now: Timestamp, limit: Int,
        in transaction: borrowing Transaction
    ) async throws -> ExpiredChunk? {
        try await transaction.first(
            """
            select members, transactions, last_expiry, last_member
            from ledger.expire_chunk(
                \(now), \(Int32(limit)), coalesce(\(last?.expiry), '-infinity'),
                coalesce(\(last?.member), '00000000-0000-0000-0000-000000000000'))
            """, as: ExpiredChunk.self)
    }

    /// How many members have something to expire.
    func expiryDue(at now: Timestamp, in database: Database) async throws -> Int64 {
        try await database.one("select ledger.expiry_due(\(now)) as members").value("members")
    }

    /// Makes what is due of up to `limit` receipts available.
    /// - Returns: how many there were.
    func maturePoints(at now: Timestamp, limit: Int, in transaction: borrowing Transaction) async throws -> Int {
        let row = try await transaction.one("select ledger.mature_points(\(now), \(Int32(limit))) as receipts")
        return Int(try row.value("receipts", as: Int32.self))
    }

    /// Writes off stickers of up to `limit` members of campaigns that are over.
    /// - Returns: how many there were.
    func expireStickers(at now: Timestamp, limit: Int, in transaction: borrowing Transaction) async throws -> Int {
        let row = try await transaction.one("select ledger.expire_stickers(\(now), \(Int32(limit))) as members")
        return Int(try row.value("members", as: Int32.self))
    }

    /// Forgets up to `limit` refusals of before a moment.
    /// - Returns: how many there were.
    func forgetRefusals(before: Timestamp, limit: Int, in transaction: borrowing Transaction) async throws -> Int {
        let row = try await transaction.one("select ledger.forget_refusals(\(before), \(Int32(limit))) as gone")
        return Int(try row.value("gone", as: Int32.self))
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

import Kernel
import Postgres

/// Donors who are to hear that their fund has the money.
struct DonorStore: Sendable {
    /// What one member has given in one batch.
    struct Share: Hashable, Sendable {
        let member: Member.ID
        let donations: Int64
        let points: Points
        /// Of the member and of the shop together.
        let kopecks: Kopecks
    }

    /// A batch that its fund has acknowledged and whose donors have not all been told, locked; what another process has
    /// locked it is seeing to.
    func next(in transaction: borrowing Transaction) async throws -> Batch.ID? {
        try await transaction.first(
            """
            select batch_id
            from charity.batch
            where state = 'acknowledged' and donors_told_at is null
            order by batch_id
            limit 1
            for no key update skip locked
            """
        )?.decode(Batch.ID.self)
    }

    /// Donors of a batch, each once however often they gave, marked as told by the transaction that this is in.
    func take(
        of batch: Batch.ID, limit: Int, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> [Share] {
        try await transaction.query(
            """
            with donor as (
                select distinct member_id
                from charity.donation
                where batch_id = \(batch) and told_at is null
                order by member_id
                limit \(limit)
            ), told as (
                update charity.donation as d
                set told_at = \(now)
                from donor
                where d.member_id = donor.member_id and d.batch_id = \(batch)
                returning d.member_id, d.points, d.worth, d.match
            )
            select member_id, count(*) as donations, sum(points)::bigint as points, sum(worth + match)::bigint as kopecks
            from told
            group by member_id
            order by member_id
            """, as: Share.self)
    }

    /// Everybody has been told.
    func finish(_ batch: Batch.ID, at now: Timestamp, in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            """
            update charity.batch
            set donors_told_at = \(now)
            where batch_id = \(batch)
            """)
    }
}

extension DonorStore.Share: RowDecodable {
    init(row: Row) throws {
        self.init(
            member: try row.value("member_id"), donations: try row.value("donations"),
            points: try row.value("points"), kopecks: try row.value("kopecks"))
    }
}

internal import Contracts
internal import Kernel
internal import Postgres

/// What lies on the clearing accounts.
struct ClearingStore: Sendable {
    /// One page of what is not settled of a purpose.
    func list(_ call: ListClearing, in transaction: borrowing Transaction) async throws -> [ListClearing.Item] {
        try await transaction.query(
            """
            select member_id, hold_id, sum(points)::bigint as points, min(opened_at) as opened_at
            from ledger.clearing_item
            where purpose = \(call.purpose.rawValue) and settled_at is null
                and (\(call.after)::uuid is null or hold_id > \(call.after))
            group by member_id, hold_id
            order by hold_id
            limit \(min(max(call.limit, 1), 1000))
            """
        ).map { row in
            ListClearing.Item(
                member: try row.value("member_id"), hold: try row.value("hold_id"), points: try row.value("points"),
                openedAt: try row.value("opened_at"))
        }
    }
}

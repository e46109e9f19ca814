internal import Contracts
internal import Kernel
internal import Postgres

/// What has been given for a purpose.
struct PurposeStore: Sendable {
    /// Captures for a purpose that were not undone.
    func totals(
        of purpose: HoldPurpose, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> FetchPurposeTotals.Reply {
        let row = try await runner.one(
            """
            select count(*), coalesce(sum(points), 0)::bigint, coalesce(sum(kopecks), 0)::bigint
            from ledger.clearing_item as i
            where i.purpose = \(purpose.rawValue)
                and not exists (select from ledger.reversal as r where r.reverses = i.opened_by)
            """)
        let (count, points, kopecks) = try row.decode(Int64.self, Points.self, Kopecks.self)
        return FetchPurposeTotals.Reply(count: count, points: points, kopecks: kopecks)
    }
}

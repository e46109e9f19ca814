internal import Kernel
internal import Postgres

/// Closes months, and reads the closings.
struct ClosingStore: Sendable {
    /// The first month that is over and not closed: the one after the last closing, or the first one in which something
    /// was recorded; nil when there is none.
    /// - Parameter moment: a month is over when it ended before this moment, by Moscow's calendar.
    func nextMonth<Runner: QueryRunner & ~Copyable>(
        at moment: Timestamp, on runner: borrowing Runner
    ) async throws -> CivilDate? {
        try await runner.first(
            """
            select month from (
                select coalesce(
                    (select (max(month) + interval '1 month')::date from ledger.month),
                    (select date_trunc('month', min(recorded_at) at time zone 'Europe/Moscow')::date
                     from ledger.transaction where version = 1)
                ) as month
            ) as next
            where (month + interval '1 month') at time zone 'Europe/Moscow' <= \(moment)
            """
        )?.decode(CivilDate.self)
    }

    /// The closed months, the earliest first.
    func months<Runner: QueryRunner & ~Copyable>(on runner: borrowing Runner) async throws -> [ClosedMonth] {
        try await runner.query(
            """
            select to_char(month, 'YYYY-MM') as month, closed_at, members, available, pending, held, debt
            from ledger.month
            order by month.month
            """
        ).map { row in
            ClosedMonth(
                month: try row.value("month"), closedAt: try row.value("closed_at"),
                members: try row.value("members"), available: try row.value("available"),
                pending: try row.value("pending"), held: try row.value("held"), debt: try row.value("debt"))
        }
    }

    /// Closes the month for up to `limit` members after `last`.
    /// - Returns: the last member looked at; nil when none are left.
    func closeMembers(
        _ month: CivilDate, after last: Member.ID?, limit: Int, in transaction: borrowing Transaction
    ) async throws -> Member.ID? {
        try await transaction.one(
            "select ledger.close_members(\(month), \(last), \(Int32(limit)))"
        ).decode(Member.ID?.self)
    }

    /// Writes the month's sums down: it is closed.
    /// - Returns: false when it was closed before.
    func close(_ month: CivilDate, at now: Timestamp, in transaction: borrowing Transaction) async throws -> Bool {
        try await transaction.one("select ledger.close_month(\(month), \(now))").decode(Bool.self)
    }
}

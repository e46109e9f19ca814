internal import Kernel
internal import Postgres

/// The statements that look for a row which breaks an invariant. Each returns the first one it finds, or nothing.
struct InvariantStore: Sendable {
    /// Lifts the limit on statements for the rest of the transaction. Over many partitions compiling one takes longer
    /// than running it. Transactions and postings have the same months, so they are joined month by month, in memory.
    func allowLongStatements(in transaction: borrowing Transaction) async throws {
        _ = try await transaction.pipeline([
            "set local statement_timeout = 0", "set local jit = off", "set local enable_partitionwise_join = on",
            "set local enable_partitionwise_aggregate = on",
        ])
    }

    /// - Parameters:
    ///   - now: the moment that expiry is judged by.
    ///   - transaction: a repeatable-read one, so that all invariants are judged in one snapshot.
    func firstBreach(
        of invariant: Invariant, now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> Finding? {
        for statement in Self.statements(invariant, now: now) + Self.further(invariant) {
            // Materialized: with the limit in sight the planner hopes to find a row at once and joins in loops, although
            // there is none to find and everything is looked at.
            let first: SQL = """
                with breach as materialized (
                \(fragment: statement)
                )
                select place, difference from breach limit 1
                """
            guard let row = try await transaction.first(first) else { continue }
            return Finding(
                invariant: invariant, row: try row.value("place"), difference: try row.value("difference"))
        }
        return nil
    }

    /// The chain of blocks is no statement: ``VerifySeals`` recomputes it.
    private static func statements(_ invariant: Invariant, now: Timestamp) -> [SQL] {
        switch invariant {
        case .postingsBalance: [self.postingsBalance]
        case .balancesFollowPostings: [self.balancesFollowPostings, self.closingsFollowTransactions]
        case .availableIsLots: [self.availableIsLots]
        case .lotsFollowPostings: [self.lotsFollowPostings]
        case .heldIsOpenHolds: [self.heldIsOpenHolds]
        case .nothingOverdue: [self.nothingOverdue(now: now)]
        case .clearingReturnsToZero: [self.clearingReturnsToZero(now: now)]
        case .liabilityBothWays: [self.liabilityBothWays]
        case .receiptsHaveOneTransaction: [self.receiptsHaveOneTransaction]
        case .sealsRecompute: []
        }
    }

    /// A posting is one debit and one credit of one amount, so an asset balances when no posting joins two of them.
    private static let postingsBalance: SQL = """
        select format('posting %s/%s', p.transaction_id, p.line) as place,
            format('transaction %s, debit %s, credit %s',
                coalesce(t.kind::text, 'missing'), coalesce(d.asset, 'missing'), coalesce(c.asset, 'missing')
            ) as difference
        from ledger.posting as p
        left join ledger.transaction as t on t.id = p.transaction_id and t.member_id = p.member_id
        left join ledger.account as d on d.id = p.debit
        left join ledger.account as c on c.id = p.credit
        where t.id is null or d.id is null or c.id is null or d.asset <> c.asset
        """

    /// Every transaction's balances after it are the sums so far, its number is its rank, and the newest one's are
    /// the member's row.
    private static let balancesFollowPostings: SQL = """
        with delta as (
            select transaction_id, member_id,
                sum(amount * ((credit = 1)::int - (debit = 1)::int)) as available,
                sum(amount * ((credit = 2)::int - (debit = 2)::int)) as pending,
                sum(amount * ((credit = 3)::int - (debit = 3)::int)) as held,
                sum(amount * ((debit = 4)::int - (credit = 4)::int)) as debt
            from ledger.posting
            group by transaction_id, member_id
        ),
        said as (
            select t.id, t.member_id, t.version, t.available_after, t.pending_after, t.held_after, t.debt_after,
                coalesce(sum(d.available) over mine, 0) as available, coalesce(sum(d.pending) over mine, 0) as pending,
                coalesce(sum(d.held) over mine, 0) as held, coalesce(sum(d.debt) over mine, 0) as debt,
                row_number() over mine as rank, lead(t.id) over mine is null as is_last
            from ledger.transaction as t
            left join delta as d on d.transaction_id = t.id and d.member_id = t.member_id
            window mine as (partition by t.member_id order by t.id)
        )
        select format('transaction %s', id) as place,
            format('number %s after %s/%s/%s/%s, by its postings %s after %s/%s/%s/%s', version, available_after,
                pending_after, held_after, debt_after, rank, available, pending, held, debt) as difference
        from said
        where (version, available_after, pending_after, held_after, debt_after)
            is distinct from (rank, available, pending, held, debt)
        union all
        select format('member %s', member_id),
            format('%s/%s/%s/%s after %s, by the last transaction %s/%s/%s/%s after %s', m.available, m.pending, m.held,
                m.debt, m.version, s.available_after, s.pending_after, s.held_after, s.debt_after, s.version)
        from ledger.member as m
        full join (select * from said where is_last) as s using (member_id)
        where (m.available, m.pending, m.held, m.debt, m.version) is distinct from (
            coalesce(s.available_after, 0), coalesce(s.pending_after, 0), coalesce(s.held_after, 0),
            coalesce(s.debt_after, 0), coalesce(s.version, 0))
        """

    private static let availableIsLots: SQL = """
        select format('member %s', member_id) as place,
            format('%s available, %s in lots', m.available, l.remaining) as difference
        from ledger.member as m
        full join (
            select member_id, sum(remaining) as remaining from ledger.lot group by member_id
        ) as l using (member_id)
        where coalesce(m.available, 0) <> coalesce(l.remaining, 0)
        """

    /// Postings that touch the available account are the lots' moves; the source's postings made the lot.
    private static let lotsFollowPostings: SQL = """
        select format('lot %s of member %s', number, member_id) as place,
            format('%s of %s left, by its postings %s of %s', remaining, amount, moved, made) as difference
        from (
            select member_id, number, max(l.remaining) as remaining, max(l.amount) as amount,
                sum(p.amount * ((p.credit = 1)::int - (p.debit = 1)::int)) as moved,
                sum(p.amount) filter (where p.credit = 1 and p.transaction_id = l.source) as made
            from ledger.lot as l
            full join (
                select member_id, lot as number, transaction_id, amount, debit, credit
                from ledger.posting where lot is not null
            ) as p using (member_id, number)
            group by member_id, number
        ) as lot
        where remaining is distinct from moved or amount is distinct from made
        """

    private static let heldIsOpenHolds: SQL = """
        select format('member %s', member_id) as place,
            format('%s held, %s in open holds', m.held, h.points) as difference
        from ledger.member as m
        full join (
            select member_id, sum(points - captured) as points
            from ledger.hold where state = 'open' group by member_id
        ) as h using (member_id)
        where coalesce(m.held, 0) <> coalesce(h.points, 0)
        union all
        select format('hold %s', h.hold_id),
            format('%s points with %s captured, by its postings %s and %s', h.points, h.captured, placed.points,
                burnt.points)
        from ledger.hold as h
        left join lateral (
            select sum(amount) as points from ledger.posting
            where transaction_id = h.placed_by and member_id = h.member_id and credit = 3
        ) as placed on true
        left join lateral (
            select coalesce(sum(p.amount) filter (where p.credit <> 1), 0) as points
            from (
                select h.settled_by as id
                union
                select transaction_id from ledger.part_capture
                where member_id = h.member_id and hold_id = h.hold_id
            ) as capture
            join ledger.posting as p
                on p.transaction_id = capture.id and p.member_id = h.member_id and p.debit = 3
        ) as burnt on true
        where h.state <> 'refused' and (placed.points is distinct from h.points or burnt.points <> h.captured)
        """

    /// The sweep runs every few minutes; a day late is a sweep that does not run.
    private static func nothingOverdue(now: Timestamp) -> SQL {
        """
        select format('lot %s of member %s', number, member_id) as place,
            format('%s left, expired at %s', remaining, expires_at) as difference
        from ledger.lot
        where remaining > 0 and expires_at < \(now)::timestamptz - interval '1 day'
        """
    }

    private static let liabilityBothWays: SQL = """
        select 'liability' as place,
            format('%s by members, %s by the house', members.points, house.points) as difference
        from (
            select coalesce(sum(available + pending + held - debt), 0) as points from ledger.member
        ) as members,
        (
            select coalesce(sum(p.amount * ((d.holder = 'house')::int - (c.holder = 'house')::int)), 0) as points
            from ledger.posting as p
            join ledger.account as d on d.id = p.debit
            join ledger.account as c on c.id = p.credit
            where d.asset = 'PTS'
        ) as house
        where members.points <> house.points
        """

    private static let receiptsHaveOneTransaction: SQL = """
        select format('receipt %s', coalesce(r.receipt_id, t.subject)) as place,
            format('transaction %s, the receipt names %s', coalesce(t.id::text, 'missing'),
                coalesce(r.transaction_id::text, 'none')) as difference
        from ledger.receipt as r
        full join (select * from ledger.transaction where kind = 'earn') as t
            on t.id = r.transaction_id and t.member_id = r.member_id and t.subject = r.receipt_id
        where r.receipt_id is null or t.id is null
        """
}

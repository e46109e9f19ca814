internal import Kernel
internal import Postgres

extension InvariantStore {
    /// What lies on a clearing account are open items (I8 compares the two). None is older than the settlement of a month
    /// and the bank's time, and no account has paid out what never came in.
    static func clearingReturnsToZero(now: Timestamp) -> SQL {
        """
        select format('item %s of member %s', opened_by, member_id) as place,
            format('%s points of %s since %s', points, purpose, opened_at) as difference
        from ledger.clearing_item
        where settled_at is null and opened_at < \(now)::timestamptz - interval '40 days'
        union all
        select format('account %s', a.code), format('%s below zero', -sum(p.left_over))
        from ledger.account as a
        cross join lateral (
            select sum(amount) as left_over from ledger.posting where credit = a.id
            union all
            select -sum(amount) from ledger.posting where debit = a.id
        ) as p
        where a.code ~ '(^|:)clearing$'
        group by a.code
        having sum(p.left_over) < 0
        """
    }

    /// A month's closing is the last transaction recorded in it, and its sums are what the closings add up to.
    static let closingsFollowTransactions: SQL = """
        with last as (
            select distinct on (t.member_id, m.month) t.member_id, m.month, t.version, t.available_after, t.pending_after,
                t.held_after, t.debt_after
            from ledger.month as m
            join ledger.transaction as t
                on date_trunc('month', t.recorded_at at time zone 'Europe/Moscow')::date = m.month
            order by t.member_id, m.month, t.version desc
        ),
        closing as (
            select b.* from ledger.month_balance as b join ledger.month using (month)
        ),
        change as (
            select month, count(*) filter (where nth = 1) as members, sum(available) as available,
                sum(pending) as pending, sum(held) as held, sum(debt) as debt
            from (
                select month, row_number() over mine as nth, available - coalesce(lag(available) over mine, 0) as available,
                    pending - coalesce(lag(pending) over mine, 0) as pending,
                    held - coalesce(lag(held) over mine, 0) as held, debt - coalesce(lag(debt) over mine, 0) as debt
                from closing
                window mine as (partition by member_id order by month)
            ) as step
            group by month
        ),
        total as (
            select m.month, coalesce(sum(c.members) over past, 0) as members,
                coalesce(sum(c.available) over past, 0) as available, coalesce(sum(c.pending) over past, 0) as pending,
                coalesce(sum(c.held) over past, 0) as held, coalesce(sum(c.debt) over past, 0) as debt
            from ledger.month as m left join change as c using (month)
            window past as (order by m.month)
        )
        select format('closing %s of member %s', month, member_id) as place,
            format('number %s with %s/%s/%s/%s, by the transactions %s with %s/%s/%s/%s', c.version, c.available,
                c.pending, c.held, c.debt, l.version, l.available_after, l.pending_after, l.held_after, l.debt_after
            ) as difference
        from closing as c
        full join last as l using (member_id, month)
        where (c.version, c.available, c.pending, c.held, c.debt)
            is distinct from (l.version, l.available_after, l.pending_after, l.held_after, l.debt_after)
        union all
        select format('closing %s', m.month),
            format('%s members with %s/%s/%s/%s, by their closings %s with %s/%s/%s/%s', m.members, m.available, m.pending,
                m.held, m.debt, t.members, t.available, t.pending, t.held, t.debt)
        from ledger.month as m join total as t using (month)
        where (m.members, m.available, m.pending, m.held, m.debt)
            is distinct from (t.members, t.available, t.pending, t.held, t.debt)
        """
}

internal import Postgres

/// What else must be true by the same invariants: of points that wait, stickers, certificates and clearing accounts.
extension InvariantStore {
    static func further(_ invariant: Invariant) -> [SQL] {
        switch invariant {
        case .balancesFollowPostings:
            [
                self.stickersFollowPostings, self.certificatesFollowPostings, self.advancePaymentsKeepTheirWorth,
            ]
        case .availableIsLots: [self.pendingIsMaturing]
        case .liabilityBothWays: [self.clearingIsOpenItems, self.nothingIsOnTheWay]
        default: []
        }
    }

    /// Stickers have a balance for each member and campaign.
    private static let stickersFollowPostings: SQL = """
        select format('stickers %s of member %s', campaign, member_id) as place,
            format('%s, by the postings %s', s.balance, p.moved) as difference
        from ledger.sticker as s
        full join (
            select p.member_id, c.campaign,
                sum(p.amount * ((p.credit = c.owned)::int - (p.debit = c.owned)::int)) as moved
            from ledger.posting as p join ledger.campaign as c on c.owned in (p.debit, p.credit)
            group by p.member_id, c.campaign
        ) as p using (member_id, campaign)
        where coalesce(s.balance, 0) <> coalesce(p.moved, 0)
        """

    /// What is left on a certificate is what was put on it and not yet spent.
    private static let certificatesFollowPostings: SQL = """
        with moved as (
            select coalesce(issued.certificate_id, spent.certificate_id, t.subject) as certificate_id,
                sum(p.amount * ((p.credit = a.id)::int - (p.debit = a.id)::int)) as kopecks
            from ledger.posting as p
            join ledger.account as a on a.code = 'rub:certificate' and a.id in (p.debit, p.credit)
            join ledger.transaction as t on t.id = p.transaction_id and t.member_id = p.member_id
            left join ledger.reversal as r on r.transaction_id = t.id
            left join ledger.transaction as was on was.id = r.reverses and was.member_id = r.member_id
            left join ledger.certificate as issued on issued.issued_by = coalesce(was.id, t.id)
            left join ledger.certificate as spent on spent.certificate_id = was.subject
            group by 1
        )
        select format('certificate %s', certificate_id) as place,
            format('%s kopecks left, by the postings %s', c.remaining, m.kopecks) as difference
        from ledger.certificate as c full join moved as m using (certificate_id)
        where c.remaining is distinct from m.kopecks
        """

    /// Of what was paid with money nothing is ever written off.
    private static let advancePaymentsKeepTheirWorth: SQL = """
        select format('certificate %s', c.certificate_id) as place,
            format('%s kopecks of an advance payment written off', p.amount) as difference
        from ledger.posting as p
        join ledger.account as a on a.code = 'rub:certificate:breakage' and a.id = p.credit
        join ledger.transaction as t on t.id = p.transaction_id and t.member_id = p.member_id
        join ledger.certificate as c on c.certificate_id = t.subject
        where c.funding = 'money'
        """

    /// Pending points are what waits to mature.
    private static let pendingIsMaturing: SQL = """
        select format('member %s', member_id) as place,
            format('%s pending, %s waiting', m.pending, w.remaining) as difference
        from ledger.member as m
        full join (
            select member_id, sum(remaining) as remaining from ledger.maturing group by member_id
        ) as w using (member_id)
        where coalesce(m.pending, 0) <> coalesce(w.remaining, 0)
        """

    /// What is on a clearing account, and what is owed for it, are the open items.
    private static let clearingIsOpenItems: SQL = """
        select format('account %s', a.code) as place,
            format('%s, by the open items %s', b.balance, i.amount) as difference
        from ledger.hold_purpose as h
        cross join lateral (values (h.destination, true), (h.payable, false)) as side (account, is_clearing)
        join ledger.account as a on a.id = side.account
        cross join lateral (
            select coalesce(sum(p.amount * ((p.credit = a.id)::int - (p.debit = a.id)::int)), 0) as balance
            from ledger.posting as p where a.id in (p.debit, p.credit)
        ) as b
        cross join lateral (
            select coalesce(sum(case when side.is_clearing then points else kopecks end), 0) as amount
            from ledger.clearing_item
            where purpose = h.purpose and case when side.is_clearing then settled_by is null else paid_by is null end
        ) as i
        where h.settled is not null and b.balance <> i.amount
        """

    /// Accounts between two members are empty whenever nobody is at work.
    private static let nothingIsOnTheWay: SQL = """
        select format('account %s', a.code) as place, format('%s on the way', b.balance) as difference
        from ledger.account as a
        cross join lateral (
            select coalesce(sum(p.amount * ((p.credit = a.id)::int - (p.debit = a.id)::int)), 0) as balance
            from ledger.posting as p where a.id in (p.debit, p.credit)
        ) as b
        where (a.code = 'merge' or a.id in (select moving from ledger.campaign)) and b.balance <> 0
        """
}

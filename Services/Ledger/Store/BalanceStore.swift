internal import Kernel
public import Postgres

/// Reads what members have.
struct BalanceStore: Sendable {
    let database: Database

    /// A member's balance; all zero for who has never earned. What has expired does not count as available, whether
    /// or not it has been written off yet.
    func balance(of member: Member.ID, now: Timestamp) async throws -> Balance {
        let row = try await self.database.first(
            """
            select m.available - coalesce((
                    select sum(l.remaining) from ledger.lot as l
                    where l.member_id = m.member_id and l.expires_at >= m.next_expiry and l.expires_at <= \(now)
                ), 0)::bigint as available,
                m.pending, m.held, m.debt, day.expires_at, day.points, day.classes, day.shares, hold.holds,
                hold.purposes, hold.amounts, hold.places, hold.deadlines, wait.maturities, wait.waiting
            from ledger.member as m
            left join (\(fragment: Self.days(of: member, now: now, limit: 1))) as day on true
            cross join lateral (
                select array_agg(h.hold_id order by h.expires_at, h.hold_id) as holds,
                    array_agg(h.purpose order by h.expires_at, h.hold_id) as purposes,
                    array_agg(h.points - h.captured order by h.expires_at, h.hold_id) as amounts,
                    array_agg(h.placed_at order by h.expires_at, h.hold_id) as places,
                    array_agg(h.expires_at order by h.expires_at, h.hold_id) as deadlines
                from ledger.hold as h
                where m.held > 0 and h.member_id = m.member_id and h.state = 'open'
            ) as hold
            cross join lateral (
                select array_agg(w.matures_at order by w.matures_at) as maturities,
                    array_agg(w.points order by w.matures_at) as waiting
                from (
                    select matures_at, sum(remaining)::bigint as points
                    from ledger.maturing
                    where m.pending > 0 and member_id = m.member_id and remaining > 0
                    group by matures_at
                ) as w
            ) as wait
            where m.member_id = \(member)
            """)
        guard let row else {
            return Balance(available: .zero, pending: .zero, held: .zero, debt: .zero, expiringNext: nil)
        }
        let expires = try row.value("expires_at", as: Timestamp?.self) != nil
        return Balance(
            available: try row.value("available"), pending: try row.value("pending"), held: try row.value("held"),
            debt: try row.value("debt"), expiringNext: expires ? try LotDay(row: row) : nil,
            holds: try OpenHold.all(of: row), maturing: try MaturingDay.all(of: row))
    }

    /// What a member had at a moment; all zero before the first transaction.
    func balance<Runner: QueryRunner & ~Copyable>(
        of member: Member.ID, at moment: Timestamp, by basis: PastBalance.Basis, on runner: borrowing Runner
    ) async throws -> PastBalance {
        switch basis {
        case .recorded: try await self.recorded(of: member, at: moment, on: runner)
        case .effective: try await self.effective(of: member, at: moment, on: runner)
        }
    }

    /// A transaction keeps the balances after it, and a member's are recorded one after the other.
    private func recorded<Runner: QueryRunner & ~Copyable>(
        of member: Member.ID, at moment: Timestamp, on runner: borrowing Runner
    ) async throws -> PastBalance {
        try await runner.first(
            """
            select available_after as available, pending_after as pending, held_after as held, debt_after as debt
            from ledger.transaction
            where member_id = \(member) and recorded_at <= \(moment)
            order by id desc
            limit 1
            """, as: PastBalance.self) ?? PastBalance(available: 0, pending: 0, held: 0, debt: 0)
    }

    private func effective<Runner: QueryRunner & ~Copyable>(
        of member: Member.ID, at moment: Timestamp, on runner: borrowing Runner
    ) async throws -> PastBalance {
        try await runner.one(
            """
            select coalesce(sum(p.amount * ((p.credit = 1)::int - (p.debit = 1)::int)), 0)::bigint as available,
                coalesce(sum(p.amount * ((p.credit = 2)::int - (p.debit = 2)::int)), 0)::bigint as pending,
                coalesce(sum(p.amount * ((p.credit = 3)::int - (p.debit = 3)::int)), 0)::bigint as held,
                coalesce(sum(p.amount * ((p.debit = 4)::int - (p.credit = 4)::int)), 0)::bigint as debt
            from ledger.transaction as t
            join ledger.posting as p on p.transaction_id = t.id and p.member_id = t.member_id
            where t.member_id = \(member) and t.effective_at <= \(moment)
            """, as: PastBalance.self)
    }

    /// What a member can spend, by the day it expires, earliest first. Sums to the available balance.
    func lotDays(of member: Member.ID, now: Timestamp) async throws -> [LotDay] {
        try await self.database.query(Self.days(of: member, now: now, limit: nil))
    }

    private static func days(of member: Member.ID, now: Timestamp, limit: Int64?) -> SQL {
        """
        select expires_at, sum(points)::bigint as points,
            array_agg(lot_class order by lot_class) as classes, array_agg(points order by lot_class) as shares
        from (
            select expires_at, lot_class, sum(remaining)::bigint as points
            from ledger.lot
            where member_id = \(member) and expires_at > \(now) and remaining > 0
            group by expires_at, lot_class
        ) as share
        group by expires_at
        order by expires_at
        limit \(limit)
        """
    }

    /// Members after `last` in the order of their ids, with what they can spend.
    func balances(after last: Member.ID?, now: Timestamp, limit: Int) async throws -> [MemberBalance] {
        try await self.database.query(
            """
            select m.member_id, m.available - coalesce((
                    select sum(l.remaining) from ledger.lot as l
                    where m.next_expiry <= \(now) and l.member_id = m.member_id and l.expires_at >= m.next_expiry
                        and l.expires_at <= \(now)
                ), 0)::bigint as available
            from ledger.member as m
            where \(last)::uuid is null or m.member_id > \(last)
            order by m.member_id
            limit \(Int64(limit))
            """)
    }
}

extension LotDay: RowDecodable {
    init(row: Row) throws {
        let classes: [String] = try row.value("classes")
        let shares: [Points] = try row.value("shares")
        self.init(
            expiresAt: try row.value("expires_at"), points: try row.value("points"),
            classes: zip(classes, shares).map { LotShare(lotClass: $0, points: $1) })
    }
}

extension OpenHold {
    fileprivate static func all(of row: Row) throws -> [OpenHold] {
        guard let holds = try row.value("holds", as: [Hold.ID]?.self) else { return [] }
        let (purposes, amounts): ([String], [Points]) = (try row.value("purposes"), try row.value("amounts"))
        let places: [Timestamp] = try row.value("places")
        let deadlines: [Timestamp] = try row.value("deadlines")
        return holds.indices.map { index in
            OpenHold(
                id: holds[index], purpose: purposes[index], points: amounts[index], placedAt: places[index],
                expiresAt: deadlines[index])
        }
    }
}

extension MaturingDay {
    fileprivate static func all(of row: Row) throws -> [MaturingDay] {
        guard let moments = try row.value("maturities", as: [Timestamp]?.self) else { return [] }
        let amounts: [Points] = try row.value("waiting")
        return zip(moments, amounts).map { MaturingDay(maturesAt: $0, points: $1) }
    }
}

extension PastBalance: RowDecodable {
    /// Reads the four balances.
    public init(row: Row) throws {
        self.init(
            available: try row.value("available"), pending: try row.value("pending"), held: try row.value("held"),
            debt: try row.value("debt"))
    }
}

extension MemberBalance: RowDecodable {
    /// Reads `member_id` and `available`.
    public init(row: Row) throws {
        self.init(member: try row.value("member_id"), available: try row.value("available"))
    }
}

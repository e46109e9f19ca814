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
                m.pending, m.held, m.debt, day.expires_at, day.points, day.classes, day.shares
            from ledger.member as m
            left join (\(fragment: Self.days(of: member, now: now, limit: 1))) as day on true
            where m.member_id = \(member)
            """)
        guard let row else {
            return Balance(available: .zero, pending: .zero, held: .zero, debt: .zero, expiringNext: nil)
        }
        let expires = try row.value("expires_at", as: Timestamp?.self) != nil
        return Balance(
            available: try row.value("available"), pending: try row.value("pending"), held: try row.value("held"),
            debt: try row.value("debt"), expiringNext: expires ? try LotDay(row: row) : nil)
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

extension MemberBalance: RowDecodable {
    /// Reads `member_id` and `available`.
    public init(row: Row) throws {
        self.init(member: try row.value("member_id"), available: try row.value("available"))
    }
}

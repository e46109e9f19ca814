import FoundationEssentials
import Kernel
import Postgres

/// What exchanges are about, and how much has gone where.
struct ExchangeStore: Sendable {
    private static let columns: SQL = """
        exchange_id, member_id, partner, offer, points, units, number, number_mac, tail, created_at
        """

    func insert(_ order: ExchangeOrder, in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            """
            insert into partners_exchange.exchange (
                member_id, exchange_id, partner, offer, points, units, number, number_mac, tail, created_at
            )
            values (
                \(order.member), \(order.id), \(order.partner), \(order.offer), \(order.points), \(order.units),
                \(order.number), \(order.numberMAC), \(order.tail), \(order.createdAt)
            )
            """)
    }

    func find(
        _ id: Exchange.ID, of member: Member.ID, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> ExchangeOrder? {
        try await runner.first(
            """
            select \(fragment: Self.columns)
            from partners_exchange.exchange
            where member_id = \(member) and exchange_id = \(id)
            """, as: ExchangeOrder.self)
    }

    /// As a partner names it; nil also for another partner's.
    func find(
        _ id: Exchange.ID, at partner: String, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> ExchangeOrder? {
        try await runner.first(
            """
            select \(fragment: Self.columns)
            from partners_exchange.exchange
            where exchange_id = \(id) and partner = \(partner)
            """, as: ExchangeOrder.self)
    }

    /// Several of a member's.
    func find(
        _ ids: [Exchange.ID], of member: Member.ID, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [ExchangeOrder] {
        try await runner.query(
            """
            select \(fragment: Self.columns)
            from partners_exchange.exchange
            where member_id = \(member) and exchange_id = any (\(ids))
            """, as: ExchangeOrder.self)
    }

    /// Makes exchanges of one member, and those to one number, count one after the other.
    func lockLimits(_ order: ExchangeOrder, in transaction: borrowing Transaction) async throws {
        let member = "partners_exchange/member/\(order.member)"
        let number = "partners_exchange/number/\(order.partner)/" + Base64URL.encode(order.numberMAC ?? [])
        try await transaction.execute("select pg_advisory_xact_lock(hashtextextended(\(member), 0))")
        guard order.numberMAC != nil else { return }
        try await transaction.execute("select pg_advisory_xact_lock(hashtextextended(\(number), 0))")
    }

    /// Points of a member's other exchanges that are under way or done since a moment.
    func spent(
        by member: Member.ID, since: Timestamp, except exchange: Exchange.ID,
        in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> Int64 {
        try await runner.one(
            """
            select coalesce(sum(points), 0)::bigint
            from partners_exchange.redemption
            where member_id = \(member) and created_at > \(since) and redemption_id <> \(exchange)
                and state not in ('quoted', 'confirming', 'expired', 'reversed')
            """
        ).decode(Int64.self)
    }

    /// The same of a partner's number, whoever's exchanges they are.
    func spent(
        on order: ExchangeOrder, since: Timestamp, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> Int64 {
        try await runner.one(
            """
            select coalesce(sum(r.points), 0)::bigint
            from partners_exchange.exchange as e
            join partners_exchange.redemption as r on r.member_id = e.member_id and r.redemption_id = e.exchange_id
            where e.partner = \(order.partner) and e.number_mac = \(order.numberMAC) and e.created_at > \(since)
                and e.exchange_id <> \(order.id) and r.state not in ('quoted', 'confirming', 'expired', 'reversed')
            """
        ).decode(Int64.self)
    }

    /// Whether this member has had anything credited to this number before.
    func hasCredited(
        _ number: [UInt8], at partner: String, of member: Member.ID, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> Bool {
        try await runner.first(
            """
            select
            from partners_exchange.exchange as e
            join partners_exchange.redemption as r on r.member_id = e.member_id and r.redemption_id = e.exchange_id
            where e.member_id = \(member) and e.partner = \(partner) and e.number_mac = \(number)
                and r.state in ('credited', 'settled')
            limit 1
            """) != nil
    }

    /// Orders of a partner that were credited within a time: what its file of that day must have.
    func credited(
        at partner: String, from: Timestamp, to end: Timestamp, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [ExchangeOrder] {
        try await runner.query(
            """
            select e.exchange_id, e.member_id, e.partner, e.offer, e.points, e.units, e.number, e.number_mac, e.tail,
                e.created_at
            from partners_exchange.exchange as e
            join partners_exchange.redemption_step as s on s.member_id = e.member_id and s.redemption_id = e.exchange_id
            where e.partner = \(partner) and s.state = 'credited' and s.at >= \(from) and s.at < \(end)
            order by e.exchange_id
            """, as: ExchangeOrder.self)
    }

    /// Orders of a partner that wait for it: what our file to it has.
    func waiting(
        at partner: String, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [ExchangeOrder] {
        try await runner.query(
            """
            select e.exchange_id, e.member_id, e.partner, e.offer, e.points, e.units, e.number, e.number_mac, e.tail,
                e.created_at
            from partners_exchange.exchange as e
            join partners_exchange.redemption as r on r.member_id = e.member_id and r.redemption_id = e.exchange_id
            where e.partner = \(partner) and r.state in ('submitted', 'unknown', 'accepted')
            order by e.exchange_id
            """, as: ExchangeOrder.self)
    }

    /// Exchanges with a partner whose points are taken, older than a moment: what the clearing account must have, or have
    /// had.
    func taken(
        at partner: String, before moment: Timestamp, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [ExchangeOrder] {
        try await runner.query(
            """
            select e.exchange_id, e.member_id, e.partner, e.offer, e.points, e.units, e.number, e.number_mac, e.tail,
                e.created_at
            from partners_exchange.exchange as e
            join partners_exchange.redemption as r on r.member_id = e.member_id and r.redemption_id = e.exchange_id
            where e.partner = \(partner) and r.captured_by is not null and r.state in ('accepted', 'credited')
                and r.state_since < \(moment)
            order by e.exchange_id
            """, as: ExchangeOrder.self)
    }
}

extension ExchangeOrder: RowDecodable {
    init(row: Row) throws {
        self.init(
            id: try row.value("exchange_id"), member: try row.value("member_id"), partner: try row.value("partner"),
            offer: try row.value("offer"), points: try row.value("points"), units: try row.value("units"),
            number: try row.value("number"), numberMAC: try row.value("number_mac"), tail: try row.value("tail"),
            createdAt: try row.value("created_at"))
    }
}

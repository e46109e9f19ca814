import Kernel
import Postgres

/// Members' numbers in partners' programmes.
struct LinkStore: Sendable {
    func find(
        _ partner: String, of member: Member.ID, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> PartnerLink? {
        try await runner.first(
            """
            select member_id, partner, number, number_mac, tail, linked_at, cooling_until
            from partners_exchange.link
            where member_id = \(member) and partner = \(partner)
            """, as: PartnerLink.self)
    }

    func list(
        of member: Member.ID, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [PartnerLink] {
        try await runner.query(
            """
            select member_id, partner, number, number_mac, tail, linked_at, cooling_until
            from partners_exchange.link
            where member_id = \(member)
            order by partner
            """, as: PartnerLink.self)
    }

    /// Writes a member's number. The same number stays as it is; another one in the place of one waits.
    ///
    /// - Parameter cooling: until when a changed number waits.
    func write(_ link: PartnerLink, coolingUntil cooling: Timestamp, in transaction: borrowing Transaction) async throws
    {
        try await transaction.execute(
            """
            insert into partners_exchange.link as known (
                member_id, partner, number, number_mac, tail, linked_at, cooling_until
            )
            values (
                \(link.member), \(link.partner), \(link.number), \(link.numberMAC), \(link.tail), \(link.linkedAt), null
            )
            on conflict (member_id, partner) do update
            set number = excluded.number, number_mac = excluded.number_mac, tail = excluded.tail,
                linked_at = excluded.linked_at, cooling_until = \(cooling)
            where known.number_mac <> excluded.number_mac
            """)
    }

    /// Destroys all numbers of a member, also those that exchanges went to.
    func erase(_ member: Member.ID, in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            """
            delete from partners_exchange.link
            where member_id = \(member)
            """)
        try await transaction.execute(
            """
            update partners_exchange.exchange
            set number = null, tail = null
            where member_id = \(member) and number is not null
            """)
    }
}

extension PartnerLink: RowDecodable {
    init(row: Row) throws {
        self.init(
            member: try row.value("member_id"), partner: try row.value("partner"), number: try row.value("number"),
            numberMAC: try row.value("number_mac"), tail: try row.value("tail"), linkedAt: try row.value("linked_at"),
            coolingUntil: try row.value("cooling_until"))
    }
}

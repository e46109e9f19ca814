import Kernel
import Postgres

/// Members as colleagues find them.
struct StaffMemberStore: Sendable {
    struct Found: Sendable {
        let member: Member.ID
        let state: String
        let wrappedKey: [UInt8]?
        let sealedName: [UInt8]
        let sealedPhone: [UInt8]?
        let card: CardNumber?
        let registeredAt: Timestamp
    }

    func find(phoneIndex: [UInt8], in transaction: borrowing Transaction) async throws -> Found? {
        let row = try await transaction.first(
            "select member_id from auth.personal_data where phone_index = \(phoneIndex)")
        guard let row else { return nil }
        return try await self.find(row.decode(Member.ID.self), in: transaction)
    }

    func find(card: CardNumber, in transaction: borrowing Transaction) async throws -> Found? {
        let row = try await transaction.first("select member_id from auth.card where card = \(card)")
        guard let row else { return nil }
        return try await self.find(row.decode(Member.ID.self), in: transaction)
    }

    func find(_ member: Member.ID, in transaction: borrowing Transaction) async throws -> Found? {
        let row = try await transaction.first(
            """
            select
                m.state, p.wrapped_key, p.full_name, p.phone, m.registered_at,
                (
                    select card
                    from auth.card c
                    where c.member_id = m.member_id and c.state = 'active'
                    order by c.issued_at desc, c.card
                    limit 1
                )
            from auth.member m
            join auth.personal_data p using (member_id)
            where m.member_id = \(member)
            """)
        guard let row else { return nil }
        let (state, wrapped, name, phone, registeredAt, card) = try row.decode(
            String.self, [UInt8]?.self, [UInt8].self, [UInt8]?.self, Timestamp.self, CardNumber?.self)
        return Found(
            member: member, state: state, wrappedKey: wrapped, sealedName: name, sealedPhone: phone, card: card,
            registeredAt: registeredAt)
    }
}

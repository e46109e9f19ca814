import Contracts
import Kernel
import Postgres

/// Members that another system knows by a reference, set by set.
struct EnrolmentStore: Sendable {
    /// A person ready to be written.
    struct Newcomer: Sendable {
        let id: Member.ID
        let reference: String
        let wrappedKey: [UInt8]
        let sealedName: [UInt8]
        let sealedPhone: [UInt8]
        let phoneIndex: [UInt8]
        let card: CardNumber
    }

    func find(
        _ references: [String], in transaction: borrowing Transaction
    ) async throws -> [String: EnrolledMember] {
        let members = try await transaction.query(
            """
            select m.reference, m.member_id, c.card
            from auth.member m
            join lateral (
                select card
                from auth.card
                where member_id = m.member_id
                order by issued_at desc, card
                limit 1
            ) c on true
            where m.reference = any(\(references))
            """
        ).map(Self.member)
        return Dictionary(members.map { ($0.reference, $0) }) { first, _ in first }
    }

    /// One page of references, ordered by their bytes.
    func list(
        prefix: String, after: String?, limit: Int, in transaction: borrowing Transaction
    ) async throws -> [EnrolledMember] {
        try await transaction.query(
            """
            select m.reference, m.member_id, c.card
            from auth.member m
            join lateral (
                select card
                from auth.card
                where member_id = m.member_id
                order by issued_at desc, card
                limit 1
            ) c on true
            where m.reference ^@ \(prefix) and m.reference > \(after ?? "")
            order by m.reference
            limit \(limit)
            """
        ).map(Self.member)
    }

    /// Writes everybody whose reference is new, also against a second import at the same moment.
    /// - Returns: who was written.
    func insert(
        _ newcomers: [Newcomer], at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> Set<Member.ID> {
        let made = try await transaction.query(
            """
            insert into auth.member (member_id, state, registered_via, reference, registered_at)
            select member_id, 'active', 'import', reference, \(now)
            from unnest(\(newcomers.map(\.id)), \(newcomers.map(\.reference))) n (member_id, reference)
            on conflict (reference) do nothing
            returning member_id
            """
        ).map { try $0.decode(Member.ID.self) }
        let ids = Set(made)
        let written = newcomers.filter { ids.contains($0.id) }
        try await self.insertPersonalData(written, at: now, in: transaction)
        try await transaction.execute(
            """
            insert into auth.card (card, member_id, kind, state, issued_at)
            select card, member_id, 'virtual', 'active', \(now)
            from unnest(\(written.map(\.card)), \(written.map(\.id))) n (card, member_id)
            """)
        return ids
    }

    /// A phone that is found by already stays with whom it is found.
    private func insertPersonalData(
        _ newcomers: [Newcomer], at now: Timestamp, in transaction: borrowing Transaction
    ) async throws {
        let found = try await transaction.query(
            """
            insert into auth.personal_data (member_id, wrapped_key, full_name, phone, phone_index, changed_at)
            select member_id, wrapped_key, full_name, phone, phone_index, \(now)
            from unnest(
                \(newcomers.map(\.id)), \(newcomers.map(\.wrappedKey)), \(newcomers.map(\.sealedName)),
                \(newcomers.map(\.sealedPhone)), \(newcomers.map(\.phoneIndex))
            ) n (member_id, wrapped_key, full_name, phone, phone_index)
            on conflict (phone_index) do nothing
            returning member_id
            """
        ).map { try $0.decode(Member.ID.self) }
        let ids = Set(found)
        let others = newcomers.filter { !ids.contains($0.id) }
        guard !others.isEmpty else { return }
        try await transaction.execute(
            """
            insert into auth.personal_data (member_id, wrapped_key, full_name, phone, changed_at)
            select member_id, wrapped_key, full_name, phone, \(now)
            from unnest(
                \(others.map(\.id)), \(others.map(\.wrappedKey)), \(others.map(\.sealedName)),
                \(others.map(\.sealedPhone))
            ) n (member_id, wrapped_key, full_name, phone)
            """)
    }

    private static func member(_ row: Row) throws -> EnrolledMember {
        let (reference, member, card) = try row.decode(String.self, Member.ID.self, CardNumber.self)
        return EnrolledMember(reference: reference, member: member, card: card)
    }
}

import Kernel
import Postgres

/// Phones that colleagues would give to members who have lost theirs.
struct PhoneRecoveryStore: Sendable {
    struct New: Sendable {
        let id: PhoneRecovery.ID
        let member: Member.ID
        let sealedPhone: [UInt8]
        let phoneIndex: [UInt8]
        let reason: String
        let maker: Staff.ID
        let expiresAt: Timestamp
    }

    /// false when one waits for this member already. One that nobody has decided in its time gives way.
    func insert(_ new: New, at now: Timestamp, in transaction: borrowing Transaction) async throws -> Bool {
        try await transaction.execute(
            "delete from auth.phone_recovery where member_id = \(new.member) and approved is null and expires_at <= \(now)"
        )
        return try await transaction.execute(
            """
            insert into auth.phone_recovery
                (recovery_id, member_id, phone, phone_index, reason, maker, made_at, expires_at)
            values
                (\(new.id), \(new.member), \(new.sealedPhone), \(new.phoneIndex), \(new.reason), \(new.maker), \(now),
                 \(new.expiresAt))
            on conflict (member_id) where approved is null do nothing
            """) == 1
    }

    /// One that waits for its second person.
    struct Waiting: Sendable {
        let id: PhoneRecovery.ID
        let member: Member.ID
        let sealedPhone: [UInt8]
        let phoneIndex: [UInt8]
        let reason: String
        let maker: Staff.ID
        let madeAt: Timestamp
        let expiresAt: Timestamp
    }

    /// nil when there is none of this id that waits.
    func lock(
        _ id: PhoneRecovery.ID, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> Waiting? {
        try await transaction.first(
            """
            select recovery_id, member_id, phone, phone_index, reason, maker, made_at, expires_at
            from auth.phone_recovery
            where recovery_id = \(id) and approved is null and expires_at > \(now)
            for update
            """, as: Waiting.self)
    }

    /// The oldest first.
    func waiting(at now: Timestamp, on database: Database) async throws -> [Waiting] {
        try await database.query(
            """
            select recovery_id, member_id, phone, phone_index, reason, maker, made_at, expires_at
            from auth.phone_recovery
            where approved is null and expires_at > \(now)
            order by made_at, recovery_id
            limit 200
            """, as: Waiting.self)
    }

    /// Writes the decision down and forgets the phone. That the checker is another person than the maker is a check of the
    /// table.
    func decide(
        _ id: PhoneRecovery.ID, approved: Bool, by checker: Staff.ID, at now: Timestamp,
        in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            update auth.phone_recovery
            set approved = \(approved), checker = \(checker), decided_at = \(now), phone = null, phone_index = null
            where recovery_id = \(id)
            """)
    }

    /// Codes that are on their way to the old phone confirm nothing any more.
    func dropCodes(of member: Member.ID, in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            """
            delete from auth.challenge
            where challenge_id in (
                select challenge_id from auth.step_up where member_id = \(member)
                union
                select challenge_id from auth.phone_change where member_id = \(member)
                union
                select challenge_id from auth.consent_request where member_id = \(member)
            )
            """)
    }
}

/// Another phone for a member who has lost the old one.
enum PhoneRecovery {
    /// Given by auth.
    typealias ID = Identifier<PhoneRecovery>
}

extension PhoneRecoveryStore.Waiting: RowDecodable {
    init(row: Row) throws {
        self.init(
            id: try row.value("recovery_id"), member: try row.value("member_id"), sealedPhone: try row.value("phone"),
            phoneIndex: try row.value("phone_index"), reason: try row.value("reason"), maker: try row.value("maker"),
            madeAt: try row.value("made_at"), expiresAt: try row.value("expires_at"))
    }
}

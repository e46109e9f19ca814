import Kernel
import Postgres

/// Phones that are to become members'.
struct PhoneChangeStore: Sendable {
    func insert(
        _ change: StepUp.ID, of member: Member.ID, challenge: Challenge.ID, at now: Timestamp,
        in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            insert into auth.phone_change (change_id, member_id, challenge_id, created_at)
            values (\(change), \(member), \(challenge), \(now))
            """)
    }

    /// A change that waits for its codes.
    struct Pending: Sendable {
        let challenge: Challenge.ID
        let phoneIndex: [UInt8]
        let sealedPhone: [UInt8]
    }

    func find(_ change: StepUp.ID, of member: Member.ID, on database: Database) async throws -> Pending? {
        let row = try await database.first(
            """
            select p.challenge_id, c.phone_index, c.phone
            from auth.phone_change p
            join auth.challenge c using (challenge_id)
            where p.change_id = \(change) and p.member_id = \(member)
            """)
        guard let row else { return nil }
        let (challenge, index, phone) = try row.decode(Challenge.ID.self, [UInt8].self, [UInt8].self)
        return Pending(challenge: challenge, phoneIndex: index, sealedPhone: phone)
    }

    /// Makes the phone the member's; false when it is another member's.
    func apply(
        _ sealedPhone: [UInt8], index: [UInt8], of member: Member.ID, at now: Timestamp,
        in transaction: borrowing Transaction
    ) async throws -> Bool {
        let isTaken =
            try await transaction.first(
                """
                select from auth.personal_data
                where phone_index = \(index) and member_id <> \(member)
                """) != nil
        guard !isTaken else { return false }
        // A unique violation when somebody registers the phone at this very moment.
        try await transaction.execute(
            """
            update auth.personal_data
            set phone = \(sealedPhone), phone_index = \(index), changed_at = \(now)
            where member_id = \(member)
            """)
        return true
    }
}

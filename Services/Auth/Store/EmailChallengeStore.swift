import FoundationEssentials
import Kernel
import Postgres

/// Codes by e-mail.
struct EmailChallengeStore: Sendable {
    /// What a code by e-mail is for.
    enum Purpose: String, Hashable, Sendable {
        /// The address becomes the member's.
        case address
        /// The member agrees to advertising by e-mail.
        case marketing
    }

    /// A code that was sent.
    struct Stored: Sendable {
        let id: Challenge.ID
        let purpose: Purpose
        let sealedEmail: [UInt8]
        let pepper: Int32
        let expiresAt: Timestamp
    }

    /// How many a member asked for since a moment. The caller holds the member's row lock.
    func count(of member: Member.ID, since moment: Timestamp, in transaction: borrowing Transaction) async throws -> Int
    {
        try await transaction.one(
            """
            select count(*)
            from auth.email_challenge
            where member_id = \(member) and created_at > \(moment)
            """
        ).decode(Int.self)
    }

    func insert(
        _ challenge: Stored, of member: Member.ID, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            insert into auth.email_challenge
                (challenge_id, member_id, purpose, email, pepper_id, created_at, expires_at)
            values
                (\(challenge.id), \(member), \(challenge.purpose.rawValue), \(challenge.sealedEmail),
                 \(challenge.pepper), \(now), \(challenge.expiresAt))
            """)
    }

    /// Counts one attempt in a statement that is committed before anything is compared; nil when there is nothing to
    /// compare.
    func chargeAttempt(
        _ id: Challenge.ID, of member: Member.ID, attemptsMax: Int, at now: Timestamp, on database: Database
    ) async throws -> Stored? {
        let row = try await database.first(
            """
            update auth.email_challenge
            set attempts = attempts + 1
            where challenge_id = \(id)
                and member_id = \(member)
                and verified_at is null
                and attempts < \(attemptsMax)
                and expires_at > \(now)
            returning purpose, email, pepper_id, expires_at
            """)
        guard let row else { return nil }
        let (purpose, email, pepper, expiresAt) = try row.decode(
            Purpose.self, [UInt8].self, Int32.self, Timestamp.self)
        return Stored(id: id, purpose: purpose, sealedEmail: email, pepper: pepper, expiresAt: expiresAt)
    }

    /// Uses a code up; false when it was used before.
    func use(_ id: Challenge.ID, at now: Timestamp, in transaction: borrowing Transaction) async throws -> Bool {
        try await transaction.execute(
            """
            update auth.email_challenge
            set verified_at = \(now)
            where challenge_id = \(id) and verified_at is null
            """) == 1
    }
}

extension EmailChallengeStore.Purpose: PostgresWrapper {}

import Kernel
import Postgres

/// Members who were sent a code to agree to advertising by SMS.
struct ConsentRequestStore: Sendable {
    func insert(
        _ challenge: Challenge.ID, of member: Member.ID, at now: Timestamp, on database: Database
    ) async throws {
        try await database.execute(
            """
            insert into auth.consent_request (challenge_id, member_id, created_at)
            values (\(challenge), \(member), \(now))
            """)
    }

    func exists(_ challenge: Challenge.ID, of member: Member.ID, on database: Database) async throws -> Bool {
        try await database.first(
            """
            select from auth.consent_request
            where challenge_id = \(challenge) and member_id = \(member)
            """) != nil
    }
}

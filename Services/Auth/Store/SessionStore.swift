import Kernel
import Postgres

/// Sessions, the chains of their refresh tokens, and registration tickets.
struct SessionStore: Sendable {
    func insert(
        _ session: Session.ID, of member: Member.ID, device: DeviceName, level: String, at now: Timestamp,
        in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            insert into auth.session (session_id, member_id, device, level, created_at, used_at)
            values (\(session), \(member), \(device.text), \(level), \(now), \(now))
            """)
    }

    func insert(
        _ token: OpaqueToken, of session: Session.ID, at now: Timestamp, expiresAt: Timestamp,
        in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            insert into auth.refresh_token (token_hash, session_id, issued_at, expires_at)
            values (\(token.hash), \(session), \(now), \(expiresAt))
            """)
    }

    /// A refresh token as stored.
    struct StoredToken: Sendable {
        let session: Session.ID
        let member: Member.ID
        let presented: RefreshRules.Presented
        let successor: [UInt8]?
    }

    /// The token's session under its row lock, which makes refreshes of one session follow each other, then the token.
    func lock(_ token: OpaqueToken, in transaction: borrowing Transaction) async throws -> StoredToken? {
        try await transaction.execute(
            """
            select from auth.session
            where session_id = (select session_id from auth.refresh_token where token_hash = \(token.hash))
            for update
            """)
        return try await self.find(token, in: transaction)
    }

    func find(_ token: OpaqueToken, in transaction: borrowing Transaction) async throws -> StoredToken? {
        let row = try await transaction.first(
            """
            select t.session_id, s.member_id, t.expires_at, t.rotated_at, s.revoked_at is not null, t.successor
            from auth.refresh_token t
            join auth.session s using (session_id)
            where t.token_hash = \(token.hash)
            """)
        guard let row else { return nil }
        let (session, member, expires, rotated, revoked, successor) = try row.decode(
            Session.ID.self, Member.ID.self, Timestamp.self, Timestamp?.self, Bool.self, [UInt8]?.self)
        return StoredToken(
            session: session, member: member,
            presented: RefreshRules.Presented(expiresAt: expires, rotatedAt: rotated, isSessionRevoked: revoked),
            successor: successor)
    }

    /// Marks a token as used and keeps its sealed successor.
    func rotate(
        _ token: OpaqueToken, of session: Session.ID, successor: [UInt8], at now: Timestamp,
        in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            update auth.refresh_token
            set rotated_at = \(now), successor = \(successor)
            where token_hash = \(token.hash)
            """)
        try await transaction.execute(
            """
            update auth.session
            set used_at = \(now)
            where session_id = \(session)
            """)
    }

    /// Why a session ended before its time.
    enum RevokeReason: String, Sendable {
        case logout
        case reuse
    }

    /// Ends a session; false when it had ended already.
    func revoke<Runner: QueryRunner & ~Copyable>(
        _ session: Session.ID, because reason: RevokeReason, at now: Timestamp, on runner: borrowing Runner
    ) async throws -> Bool {
        try await runner.execute(
            """
            update auth.session
            set revoked_at = \(now), revoke_reason = \(reason.rawValue)
            where session_id = \(session) and revoked_at is null
            """) == 1
    }

    /// Whether the session is the member's and has not ended.
    func isLive(_ session: Session.ID, of member: Member.ID, on database: Database) async throws -> Bool {
        try await database.first(
            """
            select from auth.session
            where session_id = \(session) and member_id = \(member) and revoked_at is null
            """) != nil
    }

    func insert(
        ticket: OpaqueToken, phoneIndex: [UInt8], sealedPhone: [UInt8], expiresAt: Timestamp,
        in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            insert into auth.registration_ticket (ticket_hash, phone_index, phone, expires_at)
            values (\(ticket.hash), \(phoneIndex), \(sealedPhone), \(expiresAt))
            """)
    }

    /// Uses a ticket up; nil when it is unknown, expired or used.
    func use(
        ticket: OpaqueToken, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> (phoneIndex: [UInt8], sealedPhone: [UInt8])? {
        try await transaction.first(
            """
            update auth.registration_ticket
            set used_at = \(now)
            where ticket_hash = \(ticket.hash) and used_at is null and expires_at > \(now)
            returning phone_index, phone
            """)?.decode([UInt8].self, [UInt8].self)
    }
}

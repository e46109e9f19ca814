import Kernel
import Postgres

/// The sessions of colleagues and the chains of their refresh tokens: as ``SessionStore`` has members', with an end that
/// use does not put off.
struct StaffSessionStore: Sendable {
    func insert(
        _ session: Session.ID, of id: Staff.ID, device: DeviceName, endsAt: Timestamp, at now: Timestamp,
        in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            insert into auth.staff_session (session_id, staff_id, device, created_at, used_at, ends_at)
            values (\(session), \(id), \(device.text), \(now), \(now), \(endsAt))
            """)
    }

    func insert(
        _ token: OpaqueToken, of session: Session.ID, at now: Timestamp, expiresAt: Timestamp,
        in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            insert into auth.staff_refresh_token (token_hash, session_id, issued_at, expires_at)
            values (\(token.hash), \(session), \(now), \(expiresAt))
            """)
    }

    struct StoredToken: Sendable {
        let session: Session.ID
        let staff: Staff.ID
        let endsAt: Timestamp
        let presented: RefreshRules.Presented
        let successor: [UInt8]?
    }

    /// The token's session under its row lock, then the token.
    func lock(_ token: OpaqueToken, in transaction: borrowing Transaction) async throws -> StoredToken? {
        try await transaction.execute(
            """
            select from auth.staff_session
            where session_id = (select session_id from auth.staff_refresh_token where token_hash = \(token.hash))
            for update
            """)
        return try await self.find(token, in: transaction)
    }

    func find(_ token: OpaqueToken, in transaction: borrowing Transaction) async throws -> StoredToken? {
        let row = try await transaction.first(
            """
            select
                t.session_id, s.staff_id, s.ends_at, t.expires_at, t.rotated_at,
                s.revoked_at is not null or a.state <> 'active', t.successor
            from auth.staff_refresh_token t
            join auth.staff_session s using (session_id)
            join auth.staff a using (staff_id)
            where t.token_hash = \(token.hash)
            """)
        guard let row else { return nil }
        let (session, staff, endsAt, expires, rotated, isRevoked, successor) = try row.decode(
            Session.ID.self, Staff.ID.self, Timestamp.self, Timestamp.self, Timestamp?.self, Bool.self, [UInt8]?.self)
        return StoredToken(
            session: session, staff: staff, endsAt: endsAt,
            presented: RefreshRules.Presented(expiresAt: expires, rotatedAt: rotated, isSessionRevoked: isRevoked),
            successor: successor)
    }

    func rotate(
        _ token: OpaqueToken, of session: Session.ID, successor: [UInt8], at now: Timestamp,
        in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            update auth.staff_refresh_token
            set rotated_at = \(now), successor = \(successor)
            where token_hash = \(token.hash)
            """)
        try await transaction.execute(
            "update auth.staff_session set used_at = \(now) where session_id = \(session)")
    }

    /// Ends one session; false when it had ended already.
    func revoke(
        _ session: Session.ID, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> Bool {
        try await transaction.execute(
            """
            update auth.staff_session
            set revoked_at = \(now)
            where session_id = \(session) and revoked_at is null
            """) == 1
    }

    /// Ends all sessions of an account.
    /// - Returns: those that were open.
    func revokeAll(
        of id: Staff.ID, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> [Session.ID] {
        try await transaction.query(
            """
            update auth.staff_session
            set revoked_at = \(now)
            where staff_id = \(id) and revoked_at is null
            returning session_id
            """
        ).map { try $0.decode(Session.ID.self) }
    }

    /// Whether the session is the colleague's, has not ended, and the account is in use.
    func isLive(_ session: Session.ID, of id: Staff.ID, at now: Timestamp, on database: Database) async throws -> Bool {
        try await database.first(
            """
            select from auth.staff_session s
            join auth.staff a using (staff_id)
            where s.session_id = \(session) and s.staff_id = \(id) and s.revoked_at is null and s.ends_at > \(now)
                and a.state = 'active'
            """) != nil
    }

    /// Deletes sessions that ended long ago, with their tokens.
    func purge(endedBefore edge: Timestamp, on database: Database) async throws -> Int {
        try await database.execute("delete from auth.staff_session where ends_at <= \(edge)")
    }
}

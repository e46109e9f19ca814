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
        /// The member logged out everywhere, changed the phone, or is erased.
        case member
        /// Colleagues gave the member another phone.
        case staff
    }

    /// Ends a session; false when it is none of the member's, or had ended already.
    func revoke<Runner: QueryRunner & ~Copyable>(
        _ session: Session.ID, of member: Member.ID, because reason: RevokeReason, at now: Timestamp,
        on runner: borrowing Runner
    ) async throws -> Bool {
        try await runner.execute(
            """
            update auth.session
            set revoked_at = \(now), revoke_reason = \(reason.rawValue)
            where session_id = \(session) and member_id = \(member) and revoked_at is null
            """) == 1
    }

    /// Ends all sessions of a member but one.
    /// - Returns: which have ended.
    func revokeAll(
        of member: Member.ID, except kept: Session.ID?, because reason: RevokeReason, at now: Timestamp,
        in transaction: borrowing Transaction
    ) async throws -> [Session.ID] {
        try await transaction.query(
            """
            update auth.session
            set revoked_at = \(now), revoke_reason = \(reason.rawValue)
            where member_id = \(member) and session_id is distinct from \(kept) and revoked_at is null
            returning session_id
            """
        ).map { try $0.decode(Session.ID.self) }
    }

    /// A session as its member sees it.
    struct Listed: Hashable, Sendable {
        let session: Session.ID
        let device: String
        let createdAt: Timestamp
        let usedAt: Timestamp
    }

    /// The sessions of a member that have not ended and can still be refreshed, the last used first.
    func list(of member: Member.ID, at now: Timestamp, on database: Database) async throws -> [Listed] {
        try await database.query(
            """
            select s.session_id, s.device, s.created_at, s.used_at
            from auth.session s
            where s.member_id = \(member)
                and s.revoked_at is null
                and exists (
                    select from auth.refresh_token t
                    where t.session_id = s.session_id and t.rotated_at is null and t.expires_at > \(now)
                )
            order by s.used_at desc, s.session_id
            """
        ).map { row in
            let (session, device, created, used) = try row.decode(
                Session.ID.self, String.self, Timestamp.self, Timestamp.self)
            return Listed(session: session, device: device, createdAt: created, usedAt: used)
        }
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

    /// Counts that a ticket named a printed card; false when it has done so too often.
    func chargeCard(ticket: OpaqueToken, max: Int, on database: Database) async throws -> Bool {
        try await database.execute(
            """
            update auth.registration_ticket
            set card_failures = card_failures + 1
            where ticket_hash = \(ticket.hash) and used_at is null and card_failures < \(max)
            """) == 1
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

import Kernel
import Postgres

/// Where pushes go, one place for each session.
struct DeviceStore: Sendable {
    struct Stored: Sendable {
        let session: Session.ID
        let platform: Device.Platform
        let sealedToken: [UInt8]
    }

    /// - Returns: false when the session has ended.
    func set(
        _ platform: Device.Platform, sealedToken: [UInt8], of session: Session.ID, member: Member.ID,
        at now: Timestamp, on database: Database
    ) async throws -> Bool {
        try await database.execute(
            """
            insert into auth.device_token (session_id, platform, token, set_at)
            select session_id, \(platform.rawValue), \(sealedToken), \(now)
            from auth.session
            where session_id = \(session) and member_id = \(member) and revoked_at is null
            on conflict (session_id) do update
            set platform = excluded.platform, token = excluded.token, set_at = excluded.set_at
            """) == 1
    }

    func forget<Runner: QueryRunner & ~Copyable>(
        _ session: Session.ID, on runner: borrowing Runner
    ) async throws {
        try await runner.execute("delete from auth.device_token where session_id = \(session)")
    }

    /// Deletes the places of sessions that have ended.
    func purge(on database: Database) async throws -> Int {
        try await database.execute(
            """
            delete from auth.device_token d
            using auth.session s
            where s.session_id = d.session_id and s.revoked_at is not null
            """)
    }

    /// Those of some members who have a device on which they are logged in.
    func owners<Runner: QueryRunner & ~Copyable>(
        among members: [Member.ID], on runner: borrowing Runner
    ) async throws -> Set<Member.ID> {
        guard !members.isEmpty else { return [] }
        let rows = try await runner.query(
            """
            select distinct s.member_id
            from auth.session s
            join auth.device_token d using (session_id)
            where s.member_id = any (\(members)) and s.revoked_at is null
            """)
        return Set(try rows.map { try $0.decode(Member.ID.self) })
    }

    /// The devices on which the member is logged in.
    func devices<Runner: QueryRunner & ~Copyable>(
        of member: Member.ID, on runner: borrowing Runner
    ) async throws -> [Stored] {
        try await runner.query(
            """
            select d.session_id, d.platform, d.token
            from auth.device_token d
            join auth.session s using (session_id)
            where s.member_id = \(member) and s.revoked_at is null
            order by d.set_at desc
            limit 20
            """
        ).compactMap { row in
            let (session, platform, token) = try row.decode(Session.ID.self, String.self, [UInt8].self)
            return Device.Platform(rawValue: platform).map {
                Stored(session: session, platform: $0, sealedToken: token)
            }
        }
    }
}

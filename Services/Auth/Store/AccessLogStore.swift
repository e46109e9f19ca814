import Kernel
import Postgres

/// Who of the colleagues saw whose personal data.
struct AccessLogStore: Sendable {
    struct Entry: Sendable {
        let id: Int64
        let at: Timestamp
        let staff: Staff.ID
        let login: String
        let member: Member.ID
        let what: String
        let reason: String
    }

    func append(
        _ what: String, of member: Member.ID, by staff: Staff.ID, reason: String, at now: Timestamp,
        in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            insert into auth.access_log (at, staff_id, member_id, what, reason)
            values (\(now), \(staff), \(member), \(what), \(reason))
            """)
    }

    /// The newest first, of one member or of all.
    /// - Parameter before: the last entry of the page before.
    func list(
        of member: Member.ID?, before: Int64?, limit: Int, on database: Database
    ) async throws -> [Entry] {
        try await database.query(
            """
            select l.access_id, l.at, l.staff_id, s.login, l.member_id, l.what, l.reason
            from auth.access_log l
            join auth.staff s using (staff_id)
            where l.member_id = coalesce(\(member), l.member_id)
                and l.access_id < coalesce(\(before), 9223372036854775807)
            order by l.access_id desc
            limit \(limit)
            """
        ).map { row in
            let (id, at, staff, login, member, what, reason) = try row.decode(
                Int64.self, Timestamp.self, Staff.ID.self, String.self, Member.ID.self, String.self, String.self)
            return Entry(id: id, at: at, staff: staff, login: login, member: member, what: what, reason: reason)
        }
    }
}

import Kernel
import Postgres

/// What happened to the accounts of colleagues, as auditors read it.
struct StaffEventStore: Sendable {
    struct Event: Sendable {
        let id: Int64
        let at: Timestamp
        /// nil for the operator at the machine.
        let actor: Staff.ID?
        let staff: Staff.ID
        let login: String
        let what: String
        let role: String?
    }

    /// The newest first, of one colleague or of all.
    /// - Parameter before: the last event of the page before.
    func list(
        of staff: Staff.ID?, before: Int64?, limit: Int, on database: Database
    ) async throws -> [Event] {
        try await database.query(
            """
            select e.event_id, e.at, e.actor, e.staff_id, s.login, e.what, e.role
            from auth.staff_event e
            join auth.staff s using (staff_id)
            where e.staff_id = coalesce(\(staff), e.staff_id)
                and e.event_id < coalesce(\(before), 9223372036854775807)
            order by e.event_id desc
            limit \(limit)
            """
        ).map { row in
            let (id, at, actor, staff, login, what, role) = try row.decode(
                Int64.self, Timestamp.self, Staff.ID?.self, Staff.ID.self, String.self, String.self, String?.self)
            return Event(id: id, at: at, actor: actor, staff: staff, login: login, what: what, role: role)
        }
    }
}

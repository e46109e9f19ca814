internal import Contracts
internal import Kernel
internal import Postgres

/// Finds and writes down who is to be told of points that will expire.
struct ReminderStore: Sendable {
    /// - Returns: whom to tell, and the last member looked at; nil when none are left.
    func remind(
        daysBefore: Int, after last: Member.ID?, at now: Timestamp, limit: Int, in transaction: borrowing Transaction
    ) async throws -> (reminders: [PointsExpiring], last: Member.ID?) {
        let rows = try await transaction.query(
            """
            select member_id, points, expires_at, last_member
            from ledger.remind(\(now), \(Int32(daysBefore)), \(last), \(Int32(limit)))
            """)
        let reminders = try rows.compactMap { row -> PointsExpiring? in
            guard let member = try row.value("member_id", as: Member.ID?.self) else { return nil }
            return PointsExpiring(
                member: member, points: try row.value("points"), expiresAt: try row.value("expires_at"),
                daysBefore: daysBefore)
        }
        return (reminders, try rows.first?.value("last_member"))
    }
}

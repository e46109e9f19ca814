import Kernel
import Postgres

/// Ends a session, or all of a member's. Their refresh tokens are refused from then on, and so are their access tokens: by
/// auth at once, elsewhere within 5 s.
struct LogOut: Sendable {
    let database: Database
    let end: EndSessions

    /// Ending a session twice is no error.
    /// - Returns: false when it is none of the member's, or had ended.
    @discardableResult
    func callAsFunction(_ session: Session.ID, of member: Member.ID) async throws -> Bool {
        try await self.database.transaction { transaction in
            try await self.end(session, of: member, because: .logout, in: transaction)
        }
    }

    /// Ends every session of the member, the asking one with them.
    func everywhere(_ member: Member.ID) async throws {
        try await self.database.transaction { transaction in
            _ = try await self.end.all(of: member, because: .member, in: transaction)
        }
    }
}

import Kernel
import Postgres

/// Ends a session. Its refresh tokens are refused from then on, and so is its access token by auth itself.
struct LogOut: Sendable {
    let database: Database
    let clock: any WallClock

    /// Ending a session twice is no error.
    func callAsFunction(_ session: Session.ID) async throws {
        _ = try await SessionStore().revoke(session, because: .logout, at: self.clock.now, on: self.database)
    }
}

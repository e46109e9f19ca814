import Contracts
import JobQueue
import Kernel
import Postgres

/// Ends sessions and tells the other services, in the transaction that ends them: their tokens are refused by auth at once
/// and elsewhere within 5 s.
struct EndSessions: Sendable {
    let bus: Bus
    let clock: any WallClock
    let rules: TokenRules

    /// Ends one session; false when there is none, or it has ended before.
    func callAsFunction(
        _ session: Session.ID, of member: Member.ID, because reason: SessionStore.RevokeReason,
        in transaction: borrowing Transaction
    ) async throws -> Bool {
        let now = self.clock.now
        guard try await SessionStore().revoke(session, of: member, because: reason, at: now, on: transaction) else {
            return false
        }
        try await self.bus.publish(self.event(session, at: now), in: transaction)
        return true
    }

    /// Ends all sessions of a member but one.
    /// - Returns: how many there were.
    @discardableResult
    func all(
        of member: Member.ID, except kept: Session.ID? = nil, because reason: SessionStore.RevokeReason,
        in transaction: borrowing Transaction
    ) async throws -> Int {
        let now = self.clock.now
        let ended = try await SessionStore().revokeAll(
            of: member, except: kept, because: reason, at: now, in: transaction)
        try await self.bus.publish(contentsOf: ended.map { self.event($0, at: now) }, in: transaction)
        return ended.count
    }

    private func event(_ session: Session.ID, at now: Timestamp) -> SessionEnded {
        SessionEnded(session: session, forgetAt: now + self.rules.keyRetention)
    }
}

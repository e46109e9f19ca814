import Contracts
import Kernel
import Logging
import Postgres

/// Exchanges a refresh token for new tokens, once. A copy that is used later ends the whole session, because one of its
/// two holders stole it; a second tab within the grace gets the very token that the first one got.
struct RefreshSession: Sendable {
    let database: Database
    let clock: any WallClock
    let random: RandomBytes
    let openSession: OpenSession
    let end: EndSessions
    let tell: TellMember
    let policy: AuthPolicy
    let metrics: AuthMetrics
    let logger: Logger

    /// How many rotations may lie between a token and its newest successor within the grace.
    static let hopsMax = 64

    /// - Returns: nil for whatever there is to refuse; which it was stays here.
    func callAsFunction(_ token: OpaqueToken) async throws -> Tokens? {
        let now = self.clock.now
        let (decision, grant) = try await self.database.transaction { transaction in
            let stored = try await SessionStore().lock(token, in: transaction)
            let decision = self.policy.refresh.decide(stored?.presented, at: now)
            guard let stored else { return (decision, SessionGrant?.none) }
            switch decision {
            case .rotate:
                return (decision, try await self.rotate(token, stored, at: now, in: transaction))
            case .replay:
                return (decision, try await self.newest(after: token, stored, in: transaction))
            case .revokeFamily:
                // Commits although the answer is a refusal.
                if try await self.end(stored.session, of: stored.member, because: .reuse, in: transaction) {
                    try await self.tell.security(.member(stored.member), .sessionStolen, in: transaction)
                }
                self.logger.warning(
                    "Refresh token reused, session ended", metadata: ["auth.session": "\(stored.session)"])
                return (decision, nil)
            case .refuse:
                return (decision, nil)
            }
        }
        self.metrics.refreshed(decision)
        guard let grant else { return nil }
        return try await self.openSession.tokens(for: grant)
    }

    private func rotate(
        _ token: OpaqueToken, _ stored: SessionStore.StoredToken, at now: Timestamp,
        in transaction: borrowing Transaction
    ) async throws -> SessionGrant {
        let successor = OpaqueToken(self.random)
        let expiresAt = now + self.policy.refresh.lifetime
        let store = SessionStore()
        try await store.rotate(
            token, of: stored.session, successor: try token.sealSuccessor(successor), at: now, in: transaction)
        try await store.insert(successor, of: stored.session, at: now, expiresAt: expiresAt, in: transaction)
        return SessionGrant(
            session: stored.session, member: stored.member, refreshToken: successor, refreshExpiresAt: expiresAt)
    }

    /// Follows the chain to its end: where the first tab has refreshed again already, the token in between would be
    /// taken for a stolen one at its next use.
    private func newest(
        after token: OpaqueToken, _ stored: SessionStore.StoredToken, in transaction: borrowing Transaction
    ) async throws -> SessionGrant? {
        var (token, stored) = (token, stored)
        for _ in 0..<Self.hopsMax {
            guard let sealed = stored.successor else {
                return SessionGrant(
                    session: stored.session, member: stored.member, refreshToken: token,
                    refreshExpiresAt: stored.presented.expiresAt)
            }
            token = try token.openSuccessor(sealed)
            guard let next = try await SessionStore().find(token, in: transaction) else { return nil }
            stored = next
        }
        return nil
    }
}

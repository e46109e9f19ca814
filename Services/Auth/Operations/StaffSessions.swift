import Contracts
import JobQueue
import Kernel
import Logging
import Postgres
import Web

/// What a colleague's client gets.
struct StaffTokens: Sendable {
    let staff: Staff.ID
    let roles: Set<StaffRole>
    let access: SignedToken
    let refreshToken: OpaqueToken
    let refreshExpiresAt: Timestamp
}

/// The sessions of colleagues: both factors open one, refresh tokens keep it as members' do, for a working day at most.
struct StaffSessions: Sendable {
    let database: Database
    let clock: any WallClock
    let ids: IDGenerator
    let random: RandomBytes
    let check: CheckColleague
    let signer: TokenSigner
    let end: EndStaffSessions
    let rules: StaffRules
    let refreshRules: RefreshRules
    let metrics: StaffMetrics
    let logger: Logger
    private let store = StaffSessionStore()

    init(
        _ m: AuthParts.Materials, check: CheckColleague, signer: TokenSigner, end: EndStaffSessions, rules: StaffRules,
        metrics: StaffMetrics
    ) {
        (self.database, self.clock, self.ids, self.random) = (m.database, m.clock, m.ids, m.random)
        (self.check, self.signer, self.end, self.rules) = (check, signer, end, rules)
        (self.refreshRules, self.metrics, self.logger) = (m.policy.refresh, metrics, m.logger)
    }

    private struct Grant: Sendable {
        let session: Session.ID
        let staff: Staff.ID
        let roles: Set<StaffRole>
        let token: OpaqueToken
        let expiresAt: Timestamp
    }

    /// - Returns: nil for whatever there is to refuse.
    func logIn(_ login: StaffLogin, password: Secret, code: String, device: DeviceName) async throws -> StaffTokens? {
        guard let checked = try await self.check(login, password: password, code: code) else {
            self.metrics.loggedIn(false)
            return nil
        }
        let now = self.clock.now
        let grant = try await self.database.transaction { transaction -> Grant? in
            // Of two logins with the same code at once only one takes its step.
            guard try await StaffStore().take(step: checked.step, of: checked.staff, at: now, in: transaction) else {
                return nil
            }
            let endsAt = now + self.rules.session
            let session: Session.ID = self.ids.next()
            try await self.store.insert(
                session, of: checked.staff, device: device, endsAt: endsAt, at: now, in: transaction)
            try await StaffStore().note(.loggedIn, to: checked.staff, by: checked.staff, at: now, on: transaction)
            return try await self.grant(session, of: checked.staff, endsAt: endsAt, at: now, in: transaction)
        }
        self.metrics.loggedIn(grant != nil)
        return try await self.tokens(for: grant)
    }

    /// Exchanges a refresh token, once; roles are read anew.
    /// - Returns: nil for whatever there is to refuse.
    func refresh(_ token: OpaqueToken) async throws -> StaffTokens? {
        let now = self.clock.now
        let grant = try await self.database.transaction { transaction -> Grant? in
            guard let stored = try await self.store.lock(token, in: transaction), stored.endsAt > now else {
                return nil
            }
            switch self.refreshRules.decide(stored.presented, at: now) {
            case .rotate:
                let grant = try await self.grant(
                    stored.session, of: stored.staff, endsAt: stored.endsAt, at: now, in: transaction)
                try await self.store.rotate(
                    token, of: stored.session, successor: try token.sealSuccessor(grant.token), at: now,
                    in: transaction)
                return grant
            case .replay:
                return try await self.newest(after: token, stored, in: transaction)
            case .revokeFamily:
                // Commits although the answer is a refusal.
                try await self.end(stored.session, in: transaction)
                try await StaffStore().note(.tokenReused, to: stored.staff, by: nil, at: now, on: transaction)
                self.logger.warning(
                    "Refresh token of a colleague reused, session ended",
                    metadata: ["auth.session": "\(stored.session)"])
                return nil
            case .refuse:
                return nil
            }
        }
        return try await self.tokens(for: grant)
    }

    /// Ends a session at once, here and, within seconds, everywhere.
    func logOut(_ session: Session.ID) async throws {
        try await self.database.transaction { transaction in try await self.end(session, in: transaction) }
    }

    /// Whether the token's session has not ended.
    /// - Throws: `token-invalid`.
    func require(_ token: StaffToken) async throws -> Session.ID {
        guard let session = token.session,
            try await self.store.isLive(session, of: token.staff, at: self.clock.now, on: self.database)
        else { throw Problem(.sessionEnded) }
        return session
    }

    private func grant(
        _ session: Session.ID, of staff: Staff.ID, endsAt: Timestamp, at now: Timestamp,
        in transaction: borrowing Transaction
    ) async throws -> Grant {
        let grant = Grant(
            session: session, staff: staff, roles: try await StaffRoleStore().roles(of: staff, on: transaction),
            token: OpaqueToken(self.random), expiresAt: min(endsAt, now + self.rules.idle))
        try await self.store.insert(grant.token, of: session, at: now, expiresAt: grant.expiresAt, in: transaction)
        return grant
    }

    /// Follows the chain to its end, as members' sessions do.
    private func newest(
        after token: OpaqueToken, _ stored: StaffSessionStore.StoredToken, in transaction: borrowing Transaction
    ) async throws -> Grant? {
        var (token, stored) = (token, stored)
        for _ in 0..<RefreshSession.hopsMax {
            guard let sealed = stored.successor else {
                return Grant(
                    session: stored.session, staff: stored.staff,
                    roles: try await StaffRoleStore().roles(of: stored.staff, on: transaction), token: token,
                    expiresAt: stored.presented.expiresAt)
            }
            token = try token.openSuccessor(sealed)
            guard let next = try await self.store.find(token, in: transaction) else { return nil }
            stored = next
        }
        return nil
    }

    /// Signs after the commit.
    private func tokens(for grant: Grant?) async throws -> StaffTokens? {
        guard let grant else { return nil }
        let access = try await self.signer.signStaffToken(
            staff: grant.staff, roles: grant.roles, session: grant.session)
        return StaffTokens(
            staff: grant.staff, roles: grant.roles, access: access, refreshToken: grant.token,
            refreshExpiresAt: grant.expiresAt)
    }
}

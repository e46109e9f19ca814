import Hummingbird
import JobQueue
import Kernel
import Postgres
import ServiceLifecycle
import Web

/// The edges of auth, put together: colleagues and what is told to people. A part of ``AuthParts``.
struct EdgeParts: Sendable {
    let staff: StaffRoutes
    let accounts: StaffAccounts
    let roles: StaffRoles
    let check: CheckColleague

    init(_ m: AuthParts.Materials, signer: TokenSigner) {
        let office = PasswordOffice(cost: m.staffRules.cost, random: m.random)
        let end = EndStaffSessions(bus: m.bus, clock: m.clock, accessLifetime: m.policy.tokens.accessLifetime)
        let check = CheckColleague(
            database: m.database, clock: m.clock, vault: m.vault, office: office, rules: m.staffRules)
        let metrics = StaffMetrics()
        self.check = check
        self.roles = StaffRoles(database: m.database, clock: m.clock, ids: m.ids)
        self.accounts = StaffAccounts(
            database: m.database, clock: m.clock, ids: m.ids, random: m.random, vault: m.vault, office: office,
            sessions: end)
        self.staff = StaffRoutes(
            sessions: StaffSessions(
                m, check: check, signer: signer, end: end, rules: m.staffRules, metrics: metrics),
            accounts: self.accounts, roles: self.roles,
            changePassword: ChangeStaffPassword(
                database: m.database, clock: m.clock, check: check, office: office, end: end),
            lookUp: LookUpMember(database: m.database, clock: m.clock, vault: m.vault, metrics: metrics),
            database: m.database, verifier: AccessTokenVerifier(clock: m.clock) { try await signer.publicKeys() },
            clientAddress: m.clientAddress,
            logins: RateLimiter(
                RateLimitPolicy(burst: m.staffRules.networkMinute, per: .seconds(60)), clock: m.clock),
            metrics: metrics)
    }

    func addRoutes(to router: Router<ClubRequestContext>) {
        self.staff.add(to: router)
    }
}

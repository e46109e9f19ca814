import FoundationEssentials
import HTTPTypes
import Hummingbird
import Kernel
import Postgres
import Web

/// The routes of colleagues: how they log in, who has which role, and how they find members.
struct StaffRoutes: Sendable {
    let sessions: StaffSessions
    let accounts: StaffAccounts
    let roles: StaffRoles
    let changePassword: ChangeStaffPassword
    let lookUp: LookUpMember
    let database: Database
    let verifier: AccessTokenVerifier
    let clientAddress: ClientAddress
    let logins: RateLimiter
    let metrics: StaffMetrics

    /// Who may find members: all of them speak with people, or answer for the data.
    static let lookUpRoles: Set<StaffRole> = [.support, .supervisor, .storeClerk, .dataProtectionOfficer]
    static let auditRoles: Set<StaffRole> = [.auditor, .dataProtectionOfficer]

    func add(to router: Router<ClubRequestContext>) {
        router.post("/v1/staff/sessions", use: self.postSession)
        router.post("/v1/staff/tokens", use: self.postTokens)
        let anybody = self.group(router, Set(StaffRole.allCases))
        anybody.delete("/v1/staff/sessions/current", use: self.deleteSession)
        anybody.put("/v1/staff/me/password", use: self.putPassword)
        let readers = self.group(router, [.sysadmin, .auditor])
        readers.get("/v1/staff/colleagues", use: self.getColleagues)
        readers.get("/v1/staff/role-changes", use: self.getRoleChanges)
        let admins = self.group(router, [.sysadmin])
        admins.post("/v1/staff/role-changes", use: self.postRoleChange)
        admins.put("/v1/staff/role-changes/:change/decision", use: self.putDecision)
        admins.delete("/v1/staff/colleagues/:login/roles/:role", use: self.deleteRole)
        self.group(router, Self.lookUpRoles).post("/v1/staff/member-lookups", use: self.postLookUp)
        self.group(router, Self.auditRoles).get("/v1/staff/access-log", use: self.getAccessLog)
    }

    private func group(
        _ router: Router<ClubRequestContext>, _ roles: Set<StaffRole>
    ) -> RouterGroup<ClubRequestContext> {
        router.group().add(middleware: StaffAuthentication(verifier: self.verifier, roles: roles))
    }

    @Sendable private func postSession(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        let network = self.clientAddress.network(peer: context.peerAddress, forwardedFor: request.forwardedFor)
        do throws(Problem) {
            try self.logins.admit(Base64URL.encode(network.bytes))
        } catch {
            self.metrics.loginThrottled()
            throw error
        }
        let body = try await request.decode(as: StaffLoginRequest.self, context: context)
        guard let login = StaffLogin(body.login),
            let tokens = try await self.sessions.logIn(
                login, password: body.password.secret, code: body.code.text, device: request.device)
        else { throw Problem(.staffLoginRefused) }
        return try .secret(StaffTokensReply(tokens), status: .created)
    }

    @Sendable private func postTokens(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        let body = try await request.decode(as: RefreshRequest.self, context: context)
        guard let token = OpaqueToken(body.refreshToken), let tokens = try await self.sessions.refresh(token) else {
            throw Problem(.refreshRefused)
        }
        return try .secret(StaffTokensReply(tokens))
    }

    @Sendable private func deleteSession(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        if let session = try context.requireStaff().session { try await self.sessions.logOut(session) }
        return .empty()
    }

    @Sendable private func putPassword(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        let staff = try await self.sessions.present(context)
        let body = try await request.decode(as: StaffPasswordRequest.self, context: context)
        try await self.refusing {
            try await self.changePassword(
                staff, current: body.current.secret, code: body.code.text, new: body.new.text)
        }
        return .empty()
    }

    @Sendable private func getColleagues(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        _ = try await self.sessions.present(context)
        return try .secret(ColleaguesReply(try await self.accounts.list()))
    }

    @Sendable private func getRoleChanges(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        _ = try await self.sessions.present(context)
        return try .secret(RoleChangesReply(try await self.roles.waiting()))
    }

    @Sendable private func postRoleChange(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        let staff = try await self.sessions.present(context)
        let body = try await request.decode(as: RoleProposal.self, context: context)
        let change = try await self.refusing {
            try await self.roles.propose(body.role, for: body.staff, by: staff)
        }
        return try .secret(RoleProposalReply(change: Identifier(change)), status: .created)
    }

    @Sendable private func putDecision(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        let staff = try await self.sessions.present(context)
        let change = try context.id("change", of: RoleChange.self)
        let body = try await request.decode(as: RoleDecision.self, context: context)
        try await self.refusing { try await self.roles.decide(change.raw, approves: body.approved, by: staff) }
        return .empty()
    }

    @Sendable private func deleteRole(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        let staff = try await self.sessions.present(context)
        guard let login = context.parameters.get("login").flatMap({ StaffLogin($0) }),
            let role = context.parameters.get("role").flatMap({ StaffRole(rawValue: $0) })
        else { throw Problem(.notFound) }
        try await self.refusing { try await self.roles.take(role, from: login, by: staff) }
        return .empty()
    }

    /// A POST, so that the phone stands in no address and no log of addresses.
    @Sendable private func postLookUp(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        let staff = try await self.sessions.present(context)
        let body = try await request.decode(as: MemberLookUpRequest.self, context: context)
        guard let key = body.key, 1...200 ~= body.reason.unicodeScalars.count, !body.reason.utf8.contains(0) else {
            throw Problem(.lookUpUnclear)
        }
        guard let seen = try await self.lookUp(key, by: staff, reason: body.reason) else { throw Problem(.notFound) }
        return try .secret(MemberSeenReply(seen))
    }

    @Sendable private func getAccessLog(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        _ = try await self.sessions.present(context)
        let page = try PageRequest<Int64>(request)
        let text = request.uri.queryParameters["member"].map { String($0) }
        let member = text.flatMap { Member.ID($0) }
        guard text == nil || member != nil else { throw Problem(.notFound) }
        let entries = try await AccessLogStore().list(
            of: member, before: page.after, limit: page.limit + 1, on: self.database)
        return try .secret(Page(entries.map(LoggedAccess.init), limit: page.limit) { $0.id }.map(\.item))
    }

    private struct LoggedAccess: Encodable, Sendable {
        let id: Int64
        let item: AccessLogItem

        init(_ entry: AccessLogStore.Entry) { (self.id, self.item) = (entry.id, AccessLogItem(entry)) }
    }

    private func refusing<R>(_ body: () async throws -> R) async throws -> R {
        do {
            return try await body()
        } catch let refusal as StaffRefusal {
            throw Problem(refusal)
        }
    }
}

extension StaffSessions {
    /// Whoever asks, with a session that has not ended: auth itself looks at once.
    func present(_ context: ClubRequestContext) async throws -> Staff.ID {
        let token = try context.requireStaff()
        _ = try await self.require(token)
        return token.staff
    }
}

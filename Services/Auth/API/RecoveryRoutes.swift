import HTTPTypes
import Hummingbird
import Kernel
import Postgres
import Web

/// What colleagues do about a member's lost phone, and what happened to the accounts of colleagues.
struct RecoveryRoutes: Sendable {
    let recover: RecoverPhone
    let sessions: StaffSessions
    let database: Database
    let verifier: AccessTokenVerifier

    func add(to router: Router<ClubRequestContext>) {
        func group(_ roles: Set<StaffRole>) -> RouterGroup<ClubRequestContext> {
            router.group().add(middleware: StaffAuthentication(verifier: self.verifier, roles: roles))
        }
        group([.support, .supervisor]).post("/v1/staff/phone-recoveries", use: self.postRecovery)
        group([.supervisor, .auditor]).get("/v1/staff/phone-recoveries", use: self.getRecoveries)
        group([.supervisor]).put("/v1/staff/phone-recoveries/:recovery/decision", use: self.putDecision)
        group(StaffRoutes.auditRoles).get("/v1/staff/events", use: self.getEvents)
    }

    @Sendable private func postRecovery(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        let staff = try await self.sessions.present(context)
        let body = try await request.decode(as: RecoveryRequest.self, context: context)
        guard 1...200 ~= body.reason.unicodeScalars.count, !body.reason.utf8.contains(0) else {
            throw Problem(.invalidValue, at: "/reason", detail: "1 to 200 characters")
        }
        let id = try await self.refusing {
            try await self.recover.propose(body.phone, for: body.member, because: body.reason, by: staff)
        }
        return try .secret(RecoveryReply(recovery: id), status: .created)
    }

    @Sendable private func getRecoveries(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        _ = try await self.sessions.present(context)
        return try .secret(RecoveriesReply(try await self.recover.waiting()))
    }

    @Sendable private func putDecision(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        let staff = try await self.sessions.present(context)
        let id = try context.id("recovery", of: PhoneRecovery.self)
        let body = try await request.decode(as: RoleDecision.self, context: context)
        try await self.refusing { try await self.recover.decide(id, approves: body.approved, by: staff) }
        return .empty()
    }

    @Sendable private func getEvents(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        _ = try await self.sessions.present(context)
        let page = try PageRequest<Int64>(request)
        let text = request.uri.queryParameters["staff"].map { String($0) }
        let staff = text.flatMap { Staff.ID($0) }
        guard text == nil || staff != nil else { throw Problem(.notFound) }
        let events = try await StaffEventStore().list(
            of: staff, before: page.after, limit: page.limit + 1, on: self.database)
        return try .secret(Page(events.map(LoggedEvent.init), limit: page.limit) { $0.id }.map(\.item))
    }

    private struct LoggedEvent: Encodable, Sendable {
        let id: Int64
        let item: StaffEventItem

        init(_ event: StaffEventStore.Event) { (self.id, self.item) = (event.id, StaffEventItem(event)) }
    }

    private func refusing<R>(_ body: () async throws -> R) async throws -> R {
        do {
            return try await body()
        } catch let refusal as RecoverPhone.Refusal {
            throw Problem(refusal)
        }
    }
}

struct RecoveryRequest: Decodable, Sendable {
    let member: Member.ID
    let phone: PhoneNumber
    let reason: String
}

struct RecoveryReply: Encodable, Sendable {
    let recovery: PhoneRecovery.ID
}

struct RecoveriesReply: Encodable, Sendable {
    let items: [Item]

    struct Item: Encodable, Sendable {
        let recovery: PhoneRecovery.ID
        let member: Member.ID
        /// Masked.
        let phone: String
        let reason: String
        let maker: Staff.ID
        let madeAt: Timestamp
        let expiresAt: Timestamp
    }

    init(_ proposals: [RecoverPhone.Proposal]) {
        self.items = proposals.map {
            Item(
                recovery: $0.id, member: $0.member, phone: $0.phone, reason: $0.reason, maker: $0.maker,
                madeAt: $0.madeAt, expiresAt: $0.expiresAt)
        }
    }
}

struct StaffEventItem: Encodable, Sendable {
    let at: Timestamp
    /// nil: the operator at the machine.
    let actor: Staff.ID?
    let staff: Staff.ID
    let login: String
    let what: String
    let role: String?

    init(_ event: StaffEventStore.Event) {
        (self.at, self.actor, self.staff, self.login) = (event.at, event.actor, event.staff, event.login)
        (self.what, self.role) = (event.what, event.role)
    }
}

extension Problem {
    init(_ refusal: RecoverPhone.Refusal) {
        switch refusal {
        case .unknown: self.init(.notFound)
        case .waiting: self.init(ProblemKind.recoveryWaiting)
        case .taken: self.init(ProblemKind.phoneTaken)
        case .samePerson: self.init(ProblemKind.samePerson)
        }
    }
}

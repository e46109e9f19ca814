import HTTPTypes
import Hummingbird
import Kernel
import Postgres
import Redemption
import Web

/// What colleagues call: partner managers and finance.
struct StaffRoutes: Sendable {
    /// Of a file or of many codes.
    static let bodyBytesMax = 16 * 1024 * 1024
    /// What stands longer than this is shown as stuck.
    static let stuckAfter = Duration.seconds(900)

    let database: Database
    let clock: any WallClock
    let idempotency: Idempotency
    let vault: ExchangeVault
    let flow: RedemptionFlow
    let manage: ManagePartners
    let importFile: ImportDailyFile
    let decide: DecideWorkItem
    let pay: PayPartner
    private let partners = PartnerStore()
    private let exchanges = ExchangeStore()
    private let items = WorkItemStore()

    init(_ parts: PartnersExchangeParts) {
        (self.database, self.clock, self.idempotency) = (parts.database, parts.clock, parts.idempotency)
        (self.vault, self.flow, self.manage) = (parts.vault, parts.flow, parts.manage)
        (self.importFile, self.decide, self.pay) = (parts.importFile, parts.decide, parts.pay)
    }

    func add(to router: Router<ClubRequestContext>, verifier: AccessTokenVerifier) {
        func group(_ roles: Set<StaffRole>) -> RouterGroup<ClubRequestContext> {
            router.group("staff/v1").add(middleware: StaffAuthentication(verifier: verifier, roles: roles))
        }
        self.addPartners(to: group([.partnerManager]))
        self.addFiles(to: group([.partnerManager, .financeOperator]))
        self.addBoard(
            to: group([.partnerManager, .financeOperator, .financeApprover, .support, .supervisor, .auditor]))
        self.addDecisions(to: group([.financeOperator, .financeApprover]))
        self.addDrafts(to: group([.financeOperator]))
        self.addApprovals(to: group([.financeApprover]))
    }

    private func addPartners(to staff: RouterGroup<ClubRequestContext>) {
        staff.get("partners/:partner") { _, context in
            guard let partner = try await self.partners.find(try context.name("partner"), in: self.database) else {
                throw Problem(ProblemKind.notFound)
            }
            return try Answer.json(ManagedPartnerBody(partner))
        }
        staff.patch("partners/:partner") { request, context in
            let colleague = try context.requireStaff().staff
            let change = try await StrictJSON.decode(PartnerChangeRequest.self, from: request).parsed()
            let partner = try await answering {
                try await self.database.transaction { transaction in
                    try await self.manage.change(
                        try context.name("partner"), change, by: colleague, in: transaction)
                }
            }
            return try Answer.json(ManagedPartnerBody(partner))
        }
        staff.post("partner-offers/:offer/codes") { request, context in
            let colleague = try context.requireStaff().staff
            let body = try await StrictJSON.decode(CodesRequest.self, from: request, limit: Self.bodyBytesMax)
            let codes = try body.parsed()
            // Codes that are there already are left out, so the same request again is harmless.
            let (added, left) = try await answering {
                try await self.database.transaction { transaction in
                    try await self.manage.load(codes, into: try context.name("offer"), by: colleague, in: transaction)
                }
            }
            return try Answer.json(CodesAnswer(added: added, left: left))
        }
    }

    private func addFiles(to staff: RouterGroup<ClubRequestContext>) {
        staff.post("partners/:partner/files") { request, context in
            let colleague = try context.requireStaff().staff
            let body = try await StrictJSON.decode(FileRequest.self, from: request, limit: Self.bodyBytesMax)
            let day = try body.parsedDay()
            let outcome = try await answering {
                try await self.importFile(body.content, of: try context.name("partner"), day: day, by: colleague)
            }
            return try Answer.json(FileAnswer(outcome))
        }
        staff.get("partners/:partner/orders") { _, context in
            guard let partner = try await self.partners.find(try context.name("partner"), in: self.database),
                partner.kind == .file
            else { throw Problem(ProblemKind.notFound) }
            let orders = try await self.exchanges.waiting(at: partner.code, in: self.database)
            let lines = try orders.map { order in
                let account = try order.number.map {
                    try self.vault.open($0, at: PartnerLink.place(order.partner, order.member))
                }
                return (order: order, account: account)
            }
            return Answer(
                status: .ok, headers: [.contentType: "text/csv; charset=utf-8"],
                body: Array(OrderFile.text(lines).utf8))
        }
    }

    private func addBoard(to staff: RouterGroup<ClubRequestContext>) {
        staff.get("exchanges") { _, _ in
            let counts = try await self.flow.store.board(in: self.database)
            let stuck = try await self.flow.store.stuck(
                since: self.clock.now - Self.stuckAfter, limit: 100, in: self.database)
            return try Answer.json(BoardBody(counts: counts, stuck: stuck))
        }
        staff.get("work-items") { request, _ in
            let page = try PageRequest<WorkItem.ID>(request)
            let items = try await self.items.list(after: page.after, limit: page.limit + 1, in: self.database)
            return try Answer.json(Page(items.map(WorkItemBody.init), limit: page.limit) { $0.workItem })
        }
    }

    private func addDecisions(to staff: RouterGroup<ClubRequestContext>) {
        staff.post("work-items/:item/decision") { request, context in
            let colleague = try context.requireStaff().staff
            let id = try context.id("item", of: WorkItem.self)
            let body = try await StrictJSON.decode(DecisionRequest.self, from: request).checked()
            let item = try await answering {
                try await self.decide(id, body.decision, comment: body.comment, by: colleague)
            }
            return try Answer.json(WorkItemBody(item))
        }
    }

    private func addDrafts(to staff: RouterGroup<ClubRequestContext>) {
        staff.post("partners/:partner/payouts") { request, context in
            let colleague = try context.requireStaff().staff
            let bytes = try await StrictJSON.read(request)
            let body = try StrictJSON.decode(PayoutRequest.self, bytes: bytes)
            let partner = try context.name("partner")
            return try await self.idempotency.answer(
                request, principal: "staff/\(colleague)", body: bytes
            ) { transaction in
                do {
                    let payout = try await self.pay.draft(
                        partner, until: body.until, by: colleague, in: transaction)
                    return try Answer.json(PayoutBody(payout), status: .created)
                } catch let refusal as PayPartner.Refusal {
                    throw Problem(refusal)
                }
            }
        }
    }

    private func addApprovals(to staff: RouterGroup<ClubRequestContext>) {
        staff.post("payouts/:payout/approval") { _, context in
            let colleague = try context.requireStaff().staff
            let id = try context.id("payout", of: Payout.self)
            let payout = try await answering { try await self.pay.approve(id, by: colleague) }
            return try Answer.json(PayoutBody(payout))
        }
    }
}

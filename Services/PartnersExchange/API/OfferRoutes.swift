import HTTPTypes
import Hummingbird
import Kernel
import Postgres
import Web

/// Partners' offers as colleagues manage them: one asks for a change, another one decides.
struct OfferRoutes: Sendable {
    let database: Database
    let idempotency: Idempotency
    let changes: ChangeOffers
    private let partners = PartnerStore()
    private let offers = OfferStore()
    private let record = ChangeStore()

    init(_ parts: PartnersExchangeParts) {
        (self.database, self.idempotency, self.changes) = (parts.database, parts.idempotency, parts.changes)
    }

    func add(to router: Router<ClubRequestContext>, verifier: AccessTokenVerifier) {
        func group(_ roles: Set<StaffRole>) -> RouterGroup<ClubRequestContext> {
            router.group("staff/v1").add(middleware: StaffAuthentication(verifier: verifier, roles: roles))
        }
        let managers = group([.partnerManager])
        managers.post("partner-offers", use: self.add)
        managers.post("partner-offers/:offer/changes", use: self.change)
        managers.post("partner-offers/:offer/pause") { request, context in
            try await self.stop(request, context, self.changes.pause)
        }
        managers.post("partner-offers/:offer/end") { request, context in
            try await self.stop(request, context, self.changes.end)
        }
        managers.post("partners/:partner/address", use: self.setAddress)
        group([.partnerManager, .financeApprover]).post("partner-changes/:change/decision", use: self.decide)
        let readers = group([.partnerManager, .financeOperator, .financeApprover, .auditor])
        readers.get("partner-offers", use: self.list)
        readers.get("partner-changes", use: self.listChanges)
    }

    @Sendable private func list(_ request: Request, context: ClubRequestContext) async throws -> Answer {
        let partner = request.uri.queryParameters["partner"].map { String($0) }
        if let partner, !PartnerText.isName(partner) { return try Answer.json(["items": [ManagedOfferBody]()]) }
        var bodies: [ManagedOfferBody] = []
        for offer in try await self.offers.all(of: partner, in: self.database) {
            bodies.append(try await self.body(of: offer))
        }
        return try Answer.json(["items": bodies])
    }

    private func body(of offer: Offer) async throws -> ManagedOfferBody {
        guard let partner = try await self.partners.find(offer.partner, in: self.database) else {
            throw Problem(ProblemKind.notFound)
        }
        return ManagedOfferBody(offer, of: partner.kind)
    }

    @Sendable private func listChanges(_ request: Request, context: ClubRequestContext) async throws -> Answer {
        let page = try PageRequest<PartnerChange.ID>(request)
        let query = request.uri.queryParameters
        let state = try query["state"].map { text throws(Problem) in
            guard let state = PartnerChange.State(rawValue: String(text)) else {
                throw Problem(ProblemKind.invalidValue, detail: "state is pending, approved, rejected or done")
            }
            return state
        }
        let partner = try query["partner"].map { text throws(Problem) in
            guard PartnerText.isName(String(text)) else {
                throw Problem(ProblemKind.invalidValue, detail: "partner is no name of one")
            }
            return String(text)
        }
        let found = try await self.record.list(
            state, of: partner, before: page.after, limit: page.limit + 1, in: self.database)
        return try Answer.json(Page(found.map(PartnerChangeBody.init), limit: page.limit) { $0.change })
    }

    @Sendable private func add(_ request: Request, context: ClubRequestContext) async throws -> Response {
        let body = try await self.read(NewOfferRequest.self, request, context)
        let new = try body.value.parsed()
        return try await self.asking(request, body) { transaction in
            try await self.changes.add(new, of: body.value.partner, body.request, in: transaction)
        }
    }

    @Sendable private func change(_ request: Request, context: ClubRequestContext) async throws -> Response {
        let offer = try context.name("offer")
        let body = try await self.read(OfferChangeRequest.self, request, context)
        return try await self.asking(request, body) { transaction in
            try await self.changes.change(offer, body.value.change, body.request, in: transaction)
        }
    }

    @Sendable private func setAddress(_ request: Request, context: ClubRequestContext) async throws -> Response {
        let partner = try context.name("partner")
        let body = try await self.read(AddressRequest.self, request, context)
        return try await self.asking(request, body) { transaction in
            try await self.changes.setAddress(of: partner, to: body.value.address, body.request, in: transaction)
        }
    }

    /// A body as it was read, and who sent it.
    private struct Asked<Body: GivesReason>: Sendable {
        let value: Body
        let bytes: [UInt8]
        let request: ChangeOffers.Request
    }

    private func read<Body: GivesReason>(
        _: Body.Type, _ request: Request, _ context: ClubRequestContext
    ) async throws -> Asked<Body> {
        let colleague = try context.requireStaff().staff
        let bytes = try await StrictJSON.read(request)
        let value = try StrictJSON.decode(Body.self, bytes: bytes)
        return Asked(
            value: value, bytes: bytes,
            request: ChangeOffers.Request(reason: try StaffText.checked(value.reason, at: "/reason"), staff: colleague))
    }

    private func asking<Body: GivesReason>(
        _ request: Request, _ body: Asked<Body>, _ work: (borrowing Transaction) async throws -> PartnerChange
    ) async throws -> Response {
        try await self.idempotency.answer(request, principal: "staff/\(body.request.staff)", body: body.bytes) {
            transaction in
            try await answering {
                try Answer.json(PartnerChangeBody(try await work(transaction)), status: .created)
            }
        }
    }

    private func stop(
        _ request: Request, _ context: ClubRequestContext,
        _ work: (String, ChangeOffers.Request, borrowing Transaction) async throws -> Offer
    ) async throws -> Answer {
        let offer = try context.name("offer")
        let body = try await self.read(OfferStopRequest.self, request, context)
        let stopped = try await answering {
            try await self.database.transaction { transaction in try await work(offer, body.request, transaction) }
        }
        return try Answer.json(try await self.body(of: stopped))
    }

    @Sendable private func decide(_ request: Request, context: ClubRequestContext) async throws -> Answer {
        let colleague = try context.requireStaff().staff
        let id = try context.id("change", of: PartnerChange.self)
        let body = try await StrictJSON.decode(ChangeDecisionRequest.self, from: request)
        let comment = try StaffText.checked(body.comment, at: "/comment")
        let change = try await answering {
            try await self.database.transaction { transaction in
                try await self.changes.decide(
                    id, approves: body.decision == .approved, comment: comment, by: colleague, in: transaction)
            }
        }
        return try Answer.json(PartnerChangeBody(change))
    }
}

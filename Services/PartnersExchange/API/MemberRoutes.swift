import Contracts
import HTTPTypes
import Hummingbird
import Kernel
import Postgres
import Redemption
import Web

/// What members call: the directory, their numbers, their exchanges.
struct MemberRoutes: Sendable {
    let database: Database
    let clock: any WallClock
    let idempotency: Idempotency
    let vault: ExchangeVault
    let link: LinkNumber
    let quote: QuoteExchange
    let confirm: ConfirmExchange
    let show: ShowExchanges
    let attempts: RateLimiter
    private let partners = PartnerStore()
    private let offers = OfferStore()
    private let links = LinkStore()

    init(_ parts: PartnersExchangeParts) {
        (self.database, self.clock, self.idempotency) = (parts.database, parts.clock, parts.idempotency)
        (self.vault, self.link, self.quote) = (parts.vault, parts.link, parts.quote)
        (self.confirm, self.show, self.attempts) = (parts.confirm, parts.show, parts.attempts)
    }

    func add(to router: Router<ClubRequestContext>, authentication: MemberAuthentication) {
        self.addDirectory(to: router)
        let members = router.group("v1").add(middleware: authentication)
        self.addLinks(to: members)
        self.addExchanges(to: members)
        router.post("v1/cancellations") { request, _ in
            let body = try await StrictJSON.decode(CancellationRequest.self, from: request)
            guard let (member, exchange) = self.vault.readCancelToken(body.token) else {
                throw Problem(ProblemKind.linkInvalid)
            }
            return try await self.takeBack(exchange, of: member)
        }
    }

    private func addDirectory(to router: Router<ClubRequestContext>) {
        router.get("v1/partners") { request, _ in
            var category: Partner.Category?
            if let text = request.uri.queryParameters["category"] {
                guard let known = Partner.Category(rawValue: String(text)) else {
                    throw Problem(ProblemKind.invalidValue, detail: "category is not one of ours")
                }
                category = known
            }
            let partners = try await self.partners.list(category, in: self.database)
            let offers = try await self.offers.list(
                of: nil, specialOnly: false, at: self.clock.now, in: self.database)
            return try Answer.json(["items": partners.map { PartnerBody($0, offers: offers) }])
        }
        router.get("v1/partners/:partner") { _, context in
            let partner = try await self.partner(context)
            let offers = try await self.offers.list(
                of: partner.code, specialOnly: false, at: self.clock.now, in: self.database)
            return try Answer.json(PartnerBody(partner, offers: offers))
        }
        router.get("v1/privileges") { _, _ in
            let offers = try await self.offers.list(of: nil, specialOnly: true, at: self.clock.now, in: self.database)
            return try Answer.json(["items": offers.map(OfferBody.init)])
        }
        router.post("v1/partners/:partner/number") { request, context in
            let partner = try await self.partner(context)
            let body = try await StrictJSON.decode(NumberRequest.self, from: request)
            guard let rule = partner.numberRule else { throw Problem(ProblemKind.notFound) }
            let flaw: String?
            do throws(NumberRule.Flaw) {
                _ = try rule.parse(body.number)
                flaw = nil
            } catch {
                flaw = error.rawValue
            }
            return try Answer.json(NumberAnswer(isValid: flaw == nil, flaw: flaw))
        }
    }

    private func partner(_ context: ClubRequestContext) async throws -> Partner {
        guard let partner = try await self.partners.find(try context.name("partner"), in: self.database),
            partner.isActive
        else { throw Problem(ProblemKind.notFound) }
        return partner
    }

    private func addLinks(to members: RouterGroup<ClubRequestContext>) {
        members.get("links") { _, context in
            let member = try context.requireMember().member
            let links = try await self.links.list(of: member, in: self.database)
            return try Answer.json(["items": links.map { LinkBody($0, at: self.clock.now) }])
        }
        // Each try asks the partner whether a number exists and whose it is: not for guessing.
        members.group().add(middleware: RateLimit(self.attempts) { $1.accessToken.map { "\($0.member)" } })
            .put("links/:partner") { request, context in
                let member = try context.requireMember().member
                let body = try await StrictJSON.decode(LinkRequest.self, from: request)
                let wanted = try body.parsed(partner: try context.name("partner"))
                let link = try await answering { try await self.link(wanted, for: member) }
                return try Answer.json(LinkBody(link, at: self.clock.now))
            }
    }

    private func addExchanges(to members: RouterGroup<ClubRequestContext>) {
        members.post("exchanges") { request, context in
            try await self.quote(request, member: try context.requireMember().member)
        }
        members.get("exchanges") { request, context in
            let member = try context.requireMember().member
            let page = try PageRequest<Exchange.ID>(request)
            let shown = try await self.show.list(of: member, before: page.after, limit: page.limit + 1)
            return try Answer.json(Page(shown.map(ExchangeBody.init), limit: page.limit) { $0.exchange })
        }
        members.get("exchanges/:exchange") { _, context in
            try await self.answer(
                try context.id("exchange", of: Exchange.self), of: try context.requireMember().member)
        }
        members.post("exchanges/:exchange/code") { request, context in
            let member = try context.requireMember().member
            let id = try context.id("exchange", of: Exchange.self)
            let body = try await StrictJSON.decode(CodeRequest.self, from: request)
            let reply = try await answering {
                try await self.confirm.requestCode(for: id, of: member, again: body.again ?? false)
            }
            return try Answer.json(CodeAnswer(expiresAt: reply.expiresAt, resendAt: reply.resendAt))
        }
        members.post("exchanges/:exchange/confirmation") { request, context in
            let member = try context.requireMember().member
            let id = try context.id("exchange", of: Exchange.self)
            let body = try await StrictJSON.decode(ConfirmationRequest.self, from: request)
            let code = try body.checked()
            try await answering { try await self.confirm.confirm(id, of: member, code: code) }
            return try await self.answer(id, of: member)
        }
        members.post("exchanges/:exchange/cancellation") { _, context in
            try await self.takeBack(
                try context.id("exchange", of: Exchange.self), of: try context.requireMember().member)
        }
    }

    private func quote(_ request: Request, member: Member.ID) async throws -> Response {
        let bytes = try await StrictJSON.read(request)
        let body = try StrictJSON.decode(QuoteRequest.self, bytes: bytes)
        // Before the transaction: auth and the ledger are asked, and no transaction waits for another service.
        return try await self.idempotency.answer(
            request, principal: "\(member)", body: bytes,
            preparing: {
                try await answering { try await self.quote.prepare(body.offer, points: body.points, for: member) }
            },
            { prepared, transaction in
                try await answering {
                    let shown = try await self.quote(prepared, for: member, in: transaction)
                    return try Answer.json(ExchangeBody(shown), status: .created)
                }
            })
    }

    private func answer(_ id: Exchange.ID, of member: Member.ID) async throws -> Answer {
        try Answer.json(ExchangeBody(try await answering { try await self.show(id, of: member) }))
    }

    private func takeBack(_ id: Exchange.ID, of member: Member.ID) async throws -> Answer {
        try await answering { try await self.confirm.takeBack(id, of: member) }
        return try await self.answer(id, of: member)
    }
}

extension ClubRequestContext {
    /// The name of a partner or an offer out of the path.
    /// - Throws: `not-found` for what is no name, exactly as for one that nothing has.
    func name(_ parameter: String) throws(Problem) -> String {
        guard let text = self.parameters.get(parameter).map({ String($0) }), PartnerText.isName(text) else {
            throw Problem(ProblemKind.notFound)
        }
        return text
    }
}

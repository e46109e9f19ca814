import Contracts
import HTTPTypes
import Hummingbird
import Kernel
import Web

/// What a member does with certificates: orders, pays, sends, prints, claims. Another's is answered like none.
struct GiftRoutes: Sendable {
    let order: OrderGift
    let pay: PayForGift
    let show: ShowGift
    let claim: ClaimGift
    let idempotency: Idempotency
    let refusing: Refusing
    let clientAddress: ClientAddress

    func add(to group: RouterGroup<ClubRequestContext>) {
        group.post("certificates", use: self.draft)
        group.get("certificates", use: self.list)
        group.post("certificates/balance", use: self.balance)
        group.post("certificates/claim", use: self.claimGift)
        group.get("certificates/:certificate", use: self.details)
        group.put("certificates/:certificate", use: self.change)
        group.delete("certificates/:certificate", use: self.cancel)
        group.put("certificates/:certificate/recipient", use: self.readdress)
        group.post("certificates/:certificate/payment", use: self.requestCode)
        group.post("certificates/:certificate/payment/confirm", use: self.confirm)
        group.get("certificates/:certificate/code", use: self.code)
        group.get("certificates/:certificate/card.svg", use: self.card)
        group.get("certificates/:certificate/page.svg", use: self.page)
        group.get("certificates/:certificate/page.pdf", use: self.pdf)
    }

    @Sendable private func draft(_ request: Request, context: ClubRequestContext) async throws -> Response {
        let member = try context.requireMember().member
        let bytes = try await StrictJSON.read(request)
        let order = try StrictJSON.decode(GiftBody.self, bytes: bytes).parsed()
        return try await self.idempotency.answer(request, principal: "member/\(member)", body: bytes) { transaction in
            try await self.refusing {
                let certificate = try await self.order.draft(order, by: member, in: transaction)
                return try .json(
                    CertificateAnswer(try self.show.view(certificate, for: member)), status: .created,
                    headers: Self.personal)
            }
        }
    }

    @Sendable private func list(_ request: Request, context: ClubRequestContext) async throws -> Answer {
        let member = try context.requireMember().member
        let page = try PageRequest<GiftCertificate.ID>(request)
        let found = try await self.show.list(of: member, before: page.after, limit: page.limit + 1)
        return try .json(
            Page(found.map(CertificateAnswer.init), limit: page.limit, position: \.id), headers: Self.personal)
    }

    @Sendable private func details(_ request: Request, context: ClubRequestContext) async throws -> Answer {
        try .json(CertificateAnswer(try await self.view(context)), headers: Self.personal)
    }

    @Sendable private func change(_ request: Request, context: ClubRequestContext) async throws -> Answer {
        let (member, id) = try self.subject(context)
        let order = try await StrictJSON.decode(GiftBody.self, from: request).parsed()
        return try await self.answer(member) { try await self.order.change(id, order, by: member) }
    }

    @Sendable private func cancel(_ request: Request, context: ClubRequestContext) async throws -> Answer {
        let (member, id) = try self.subject(context)
        try await self.refusing { try await self.order.cancel(id, by: member) }
        return .empty()
    }

    @Sendable private func readdress(_ request: Request, context: ClubRequestContext) async throws -> Answer {
        let (member, id) = try self.subject(context)
        let body = try await StrictJSON.decode(ReaddressBody.self, from: request)
        let recipient = try body.recipient.parsed()
        return try await self.answer(member) {
            try await self.order.readdress(id, to: recipient, body.delivery?.wish ?? .atOnce, by: member)
        }
    }

    @Sendable private func requestCode(_ request: Request, context: ClubRequestContext) async throws -> Answer {
        let (member, id) = try self.subject(context)
        let body = try await StrictJSON.decode(CodeRequestBody.self, from: request)
        return try await self.refusing {
            let (points, reply) = try await self.pay.requestCode(for: id, by: member, again: body.again ?? false)
            return try .json(
                PaymentAnswer(points: points, expiresAt: reply.expiresAt, resendAt: reply.resendAt),
                status: .accepted, headers: Self.personal)
        }
    }

    @Sendable private func confirm(_ request: Request, context: ClubRequestContext) async throws -> Answer {
        let (member, id) = try self.subject(context)
        let code = try await StrictJSON.decode(ConfirmationBody.self, from: request).parsed()
        return try await self.answer(member) { try await self.pay.confirm(id, by: member, code: code) }
    }

    @Sendable private func balance(_ request: Request, context: ClubRequestContext) async throws -> Answer {
        let member = try context.requireMember().member
        let body = try await StrictJSON.decode(BalanceBody.self, from: request)
        let network = self.clientAddress.network(of: request, context).bytes
        return try await self.refusing {
            let found = try await self.claim.balance(CertificateCode(body.code), by: member, network: network)
            return try .json(BalanceAnswer(found), headers: Self.personal)
        }
    }

    @Sendable private func claimGift(_ request: Request, context: ClubRequestContext) async throws -> Answer {
        let member = try context.requireMember().member
        let key = try await StrictJSON.decode(ClaimBody.self, from: request).key()
        let network = self.clientAddress.network(of: request, context).bytes
        return try await self.answer(member) { try await self.claim.claim(key, by: member, network: network) }
    }

    @Sendable private func code(_ request: Request, context: ClubRequestContext) async throws -> Answer {
        let view = try await self.view(context)
        let code = try await self.refusing { try self.show.code(of: view) }
        return try .json(CodeAnswer(code: code.grouped), headers: Self.personal)
    }

    @Sendable private func card(_ request: Request, context: ClubRequestContext) async throws -> Answer {
        let view = try await self.view(context)
        return .picture(try await self.show.card(of: view))
    }

    @Sendable private func page(_ request: Request, context: ClubRequestContext) async throws -> Answer {
        let view = try await self.view(context)
        return .picture(try await self.refusing { try await self.show.page(of: view) })
    }

    @Sendable private func pdf(_ request: Request, context: ClubRequestContext) async throws -> Answer {
        let view = try await self.view(context)
        let bytes = try await self.refusing { try await self.show.pdf(of: view) }
        return Answer(
            status: .ok,
            headers: [
                .contentType: "application/pdf", .cacheControl: "no-store",
                .contentDisposition: "attachment; filename=\"certificate.pdf\"",
            ],
            body: bytes)
    }

    private func view(_ context: ClubRequestContext) async throws -> ShowGift.View {
        let (member, id) = try self.subject(context)
        return try await self.refusing { try await self.show(id, for: member) }
    }

    private func answer(
        _ member: Member.ID, _ body: () async throws -> Certificate
    ) async throws -> Answer {
        try await self.refusing {
            let view = try self.show.view(try await body(), for: member)
            return try .json(CertificateAnswer(view), headers: Self.personal)
        }
    }

    private func subject(_ context: ClubRequestContext) throws(Problem) -> (Member.ID, GiftCertificate.ID) {
        (try context.requireMember().member, try context.id("certificate", of: GiftCertificate.self))
    }

    /// What is a member's own lies in no cache.
    static let personal: HTTPFields = [.cacheControl: "no-store"]
}

extension Answer {
    /// An SVG that no browser runs anything of: whatever is in it is a picture.
    static func picture(_ svg: String) -> Answer {
        var headers: HTTPFields = [.contentType: "image/svg+xml", .cacheControl: "no-store"]
        headers[.contentSecurityPolicy] = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox"
        return Answer(status: .ok, headers: headers, body: Array(svg.utf8))
    }
}

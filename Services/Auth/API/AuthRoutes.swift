import HTTPTypes
import Hummingbird
import Kernel
import Web

/// The routes of auth. Each reads a body, calls one operation, and says its outcome in HTTP.
///
/// None of them keeps an `Idempotency-Key`: answers hold tokens, which must not lie in a table, and each request is
/// single use by its nature (a challenge, a ticket, a refresh token).
struct AuthRoutes: Sendable {
    let requestChallenge: RequestChallenge
    let resendCode: ResendCode
    let logIn: LogIn
    let register: RegisterMember
    let refresh: RefreshSession
    let logOut: LogOut
    let show: ShowMember
    let issueCardToken: IssueCardToken
    let signer: TokenSigner
    let verifier: AccessTokenVerifier
    let clientAddress: ClientAddress
    let clock: any WallClock

    func add(to router: Router<ClubRequestContext>) {
        router.post("/v1/challenges", use: self.postChallenge)
        router.post("/v1/challenges/:challenge/resend", use: self.postResend)
        router.get("/v1/challenges/:challenge/delivery", use: self.getDelivery)
        router.post("/v1/sessions", use: self.postSession)
        router.post("/v1/registrations", use: self.postRegistration)
        router.post("/v1/tokens", use: self.postTokens)
        router.get("/.well-known/jwks.json", use: self.getKeys)
        let members = router.group().add(middleware: MemberAuthentication(verifier: self.verifier))
        members.delete("/v1/sessions/current", use: self.deleteSession)
        members.get("/v1/me", use: self.getMember)
        members.get("/v1/me/card", use: self.getCard)
        members.post("/v1/me/card/token", use: self.postCardToken)
    }

    @Sendable private func postChallenge(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        let body = try await request.decode(as: ChallengeRequest.self, context: context)
        let network = self.clientAddress.network(peer: context.peerAddress, forwardedFor: request.forwardedFor)
        let outcome =
            switch body {
            case .phone(let phone): try await self.requestChallenge(phone, from: network)
            case .card(let card): try await self.requestChallenge(card, from: network)
            }
        switch outcome {
        case .success(let issued): return try .secret(ChallengeReply(issued), status: .accepted)
        case .failure(let refusal): throw Problem(refusal, at: self.clock.now)
        }
    }

    @Sendable private func postResend(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        let id = try context.id("challenge", of: Challenge.self)
        do {
            return try .secret(ChallengeReply(await self.resendCode(id)), status: .accepted)
        } catch let refusal as ResendCode.Refusal {
            throw Problem(refusal, at: self.clock.now)
        }
    }

    @Sendable private func getDelivery(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        let id = try context.id("challenge", of: Challenge.self)
        let store = ChallengeStore()
        guard let state = try await store.delivery(of: id, at: self.clock.now, on: self.requestChallenge.database)
        else {
            throw Problem(.notFound)
        }
        return try .secret(DeliveryReply(state))
    }

    @Sendable private func postSession(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        let body = try await request.decode(as: SessionRequest.self, context: context)
        switch try await self.logIn(body.challenge, answer: body.code.digits, device: request.device) {
        case .member(let tokens):
            return try .secret(TokensReply(tokens), status: .created)
        case .registration(let ticket, let expiresAt, let draft):
            return try .secret(
                RegistrationOffer(registration: ticket.reveal(), expiresAt: expiresAt, draftName: draft))
        case .refused:
            throw Problem(.codeRefused)
        }
    }

    @Sendable private func postRegistration(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        let body = try await request.decode(as: RegistrationRequest.self, context: context)
        guard let ticket = OpaqueToken(body.registration) else { throw Problem(.registrationRefused) }
        do {
            let registered = try await self.register(ticket: ticket, body.application, device: request.device)
            let reply = RegistrationReply(
                member: registered.member, card: registered.card, tokens: TokensReply(registered.tokens))
            return try .secret(reply, status: .created)
        } catch let refusal as RegisterMember.Refusal {
            throw Problem(refusal)
        }
    }

    @Sendable private func postTokens(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        let body = try await request.decode(as: RefreshRequest.self, context: context)
        guard let token = OpaqueToken(body.refreshToken), let tokens = try await self.refresh(token) else {
            throw Problem(.refreshRefused)
        }
        return try .secret(TokensReply(tokens))
    }

    @Sendable private func deleteSession(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        let token = try context.requireMember()
        try await self.logOut(token.session, of: token.member)
        return .empty()
    }

    @Sendable private func getMember(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        let token = try context.requireMember()
        guard let profile = try await self.show(token.member, session: token.session) else {
            throw Problem(.sessionEnded)
        }
        return try .secret(ProfileReply(profile))
    }

    @Sendable private func getCard(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        let token = try context.requireMember()
        guard let card = try await self.show.card(of: token.member, session: token.session) else {
            throw Problem(.sessionEnded)
        }
        return try .secret(CardReply(card: card))
    }

    @Sendable private func postCardToken(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        let token = try context.requireMember()
        guard let signed = try await self.issueCardToken(token.member, session: token.session) else {
            throw Problem(.sessionEnded)
        }
        return try .secret(CardTokenReply(token: signed.text, expiresAt: signed.expiresAt), status: .created)
    }

    @Sendable private func getKeys(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        let text = try await self.signer.publicKeys()
        // A new key is published five minutes before it signs: a copy this old still knows it in time.
        return Answer(
            status: .ok, headers: [.contentType: "application/jwk-set+json", .cacheControl: "public, max-age=300"],
            body: Array(text.utf8))
    }
}

extension Answer {
    /// An answer that no cache may keep.
    static func secret(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Answer {
        try .json(value, status: status, headers: [.cacheControl: "no-store"])
    }
}

extension Request {
    var device: DeviceName { DeviceName(userAgent: self.headers[.userAgent]) }

    /// `X-Forwarded-For`: not standardised, but what proxies send.
    var forwardedFor: String? { HTTPField.Name("X-Forwarded-For").flatMap { self.headers[$0] } }
}

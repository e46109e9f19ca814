import Hummingbird
import Kernel
import Web

/// What members keep of themselves: the profile, the proved e-mail address, consents, and all of it as a document.
struct ProfileRoutes: Sendable {
    let show: ShowMember
    let edit: EditProfile
    let changeEmail: ChangeEmail
    let changeConsent: ChangeConsent
    let export: ExportMember
    let clientAddress: ClientAddress
    let clock: any WallClock

    func add(to members: RouterGroup<ClubRequestContext>) {
        members.patch("/v1/me", use: self.patchProfile)
        members.post("/v1/me/email", use: self.postEmail)
        members.post("/v1/me/email/:id/confirmation", use: self.confirmEmail)
        members.delete("/v1/me/email") { _, context in
            let token = try context.requireMember()
            try await self.changeEmail.remove(of: token.member, session: token.session)
            return Answer.empty()
        }
        members.post("/v1/me/consents", use: self.postConsent)
        members.post("/v1/me/consents/:id/confirmation", use: self.confirmConsent)
        members.get("/v1/me/export", use: self.getExport)
    }

    @Sendable private func patchProfile(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        let token = try context.requireMember()
        let body = try await request.decode(as: ProfileEdit.self, context: context)
        do {
            try await self.edit(body.wishes, of: token.member, session: token.session)
        } catch let refusal as EditProfile.Refusal {
            throw Problem(refusal)
        }
        return try await self.profile(token)
    }

    @Sendable private func postEmail(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        let member = try context.requireMember().member
        let body = try await request.decode(as: EmailRequest.self, context: context)
        guard let sent = try await self.changeEmail.begin(body.email, of: member) else {
            throw Problem(.tooManyCodes, retryAfter: ChallengeQuotas.hour)
        }
        return try .secret(MailedReply(id: sent.id, expiresAt: sent.expiresAt), status: .accepted)
    }

    @Sendable private func confirmEmail(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        let token = try context.requireMember()
        let id = try context.id("id", of: Challenge.self)
        let code = try await request.decode(as: ConfirmationRequest.self, context: context).code.digits
        guard try await self.changeEmail(id, of: token.member, session: token.session, code: code) else {
            throw Problem(.codeRefused)
        }
        return try await self.profile(token)
    }

    @Sendable private func postConsent(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        let token = try context.requireMember()
        let body = try await request.decode(as: ConsentRequest.self, context: context)
        let network = self.clientAddress.network(peer: context.peerAddress, forwardedFor: request.forwardedFor)
        do {
            switch try await self.changeConsent(body.choice, of: token.member, from: network) {
            case .recorded: return try await self.profile(token)
            case .asked(let id, let expiresAt):
                return try .secret(MailedReply(id: id, expiresAt: expiresAt), status: .accepted)
            }
        } catch let refusal as ChangeConsent.Refusal {
            throw Problem(refusal, at: self.clock.now)
        }
    }

    @Sendable private func confirmConsent(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        let token = try context.requireMember()
        let id = try context.id("id", of: Challenge.self)
        let code = try await request.decode(as: ConfirmationRequest.self, context: context).code.digits
        guard try await self.changeConsent.confirm(id, of: token.member, code: code) else {
            throw Problem(.codeRefused)
        }
        return try await self.profile(token)
    }

    @Sendable private func getExport(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        let token = try context.requireMember()
        guard let all = try await self.export(token.member, session: token.session) else {
            throw Problem(.sessionEnded)
        }
        return try .json(
            ExportReply(all),
            headers: [.cacheControl: "no-store", .contentDisposition: #"attachment; filename="club-auth.json""#])
    }

    private func profile(_ token: AccessToken) async throws -> Answer {
        guard let profile = try await self.show(token.member, session: token.session) else {
            throw Problem(.sessionEnded)
        }
        return try .secret(ProfileReply(profile))
    }
}

import Contracts
import Hummingbird
import Kernel
import Postgres
import Web

/// What a member does to their own account with a code: another phone, a new card, unlocked spending, erasure. And the
/// sending again of any code that confirms an action, whichever service asked for it.
struct ActionRoutes: Sendable {
    let changePhone: ChangePhone
    let replaceCard: ReplaceCard
    let addCard: AddPrintedCard
    let lockSpending: LockSpending
    let erase: EraseMember
    let resendCode: ResendCode
    let clientAddress: ClientAddress
    let clock: any WallClock

    func add(to members: RouterGroup<ClubRequestContext>) {
        members.post("/v1/me/phone-changes", use: self.postPhoneChange)
        members.post("/v1/me/phone-changes/:id/confirmation", use: self.confirmPhoneChange)
        members.post("/v1/me/cards") { _, context in
            try self.asked(await self.replaceCard.ask(context.requireMember().member))
        }
        members.post("/v1/me/cards/:id/confirmation", use: self.confirmCard)
        members.post("/v1/me/printed-cards", use: self.postPrintedCard)
        members.put("/v1/me/spending-lock") { _, context in
            try await self.lockSpending.lock(context.requireMember().member)
            return Answer.empty()
        }
        members.post("/v1/me/spending-unlocks") { _, context in
            try self.asked(await self.lockSpending.askToUnlock(context.requireMember().member))
        }
        members.post("/v1/me/spending-unlocks/:id/confirmation", use: self.confirmUnlock)
        members.post("/v1/me/erasures") { _, context in
            try self.asked(await self.erase.ask(context.requireMember().member))
        }
        members.post("/v1/me/erasures/:id/confirmation", use: self.confirmErasure)
        members.post("/v1/me/step-ups/:id/resend", use: self.resendStepUp)
    }

    private func asked(_ outcome: Result<ConfirmAction.Asked, StepUpRefusal>) throws -> Answer {
        switch outcome {
        case .success(let asked): try .secret(AskedReply(asked), status: .accepted)
        case .failure(let refusal): throw Problem(refusal)
        }
    }

    @Sendable private func postPhoneChange(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        let member = try context.requireMember().member
        let body = try await request.decode(as: PhoneChangeRequest.self, context: context)
        let network = self.clientAddress.network(peer: context.peerAddress, forwardedFor: request.forwardedFor)
        do {
            let begun = try await self.changePhone.begin(body.phone, of: member, from: network)
            return try .secret(PhoneChangeReply(begun), status: .accepted)
        } catch let refusal as ChangePhone.Refusal {
            throw Problem(refusal, at: self.clock.now)
        }
    }

    @Sendable private func confirmPhoneChange(
        _ request: Request, _ context: ClubRequestContext
    ) async throws -> Answer {
        let token = try context.requireMember()
        let id = try context.id("id", of: StepUp.self)
        let body = try await request.decode(as: PhoneChangeConfirmation.self, context: context)
        do {
            try await self.changePhone(
                id, of: token.member, session: token.session, oldCode: body.oldPhoneCode.digits,
                newCode: body.newPhoneCode.digits)
            return .empty()
        } catch let refusal as ChangePhone.Refusal {
            throw Problem(refusal, at: self.clock.now)
        }
    }

    @Sendable private func confirmCard(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        let (member, id, code) = try await self.confirmation(request, context)
        guard let card = try await self.replaceCard(member, id, code: code) else { throw Problem(.codeRefused) }
        return try .secret(CardReply(card: card), status: .created)
    }

    @Sendable private func postPrintedCard(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        let member = try context.requireMember().member
        let body = try await request.decode(as: PrintedCardRequest.self, context: context)
        do {
            try await self.addCard(body.card, of: member)
        } catch let refusal as AddPrintedCard.Refusal {
            throw Problem(refusal)
        }
        return try .secret(CardReply(card: body.card), status: .created)
    }

    @Sendable private func confirmUnlock(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        let (member, id, code) = try await self.confirmation(request, context)
        guard try await self.lockSpending.unlock(member, id, code: code) else { throw Problem(.codeRefused) }
        return .empty()
    }

    @Sendable private func confirmErasure(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        let (member, id, code) = try await self.confirmation(request, context)
        guard try await self.erase(member, id, code: code) else { throw Problem(.codeRefused) }
        return .empty()
    }

    @Sendable private func resendStepUp(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        let member = try context.requireMember().member
        let id = try context.id("id", of: StepUp.self)
        do {
            let issued = try await self.resendCode(Challenge.ID(id.raw), of: member)
            let asked = ConfirmAction.Asked(id: id, expiresAt: issued.expiresAt, resendAt: issued.resendAt)
            return try .secret(AskedReply(asked), status: .accepted)
        } catch let refusal as ResendCode.Refusal {
            throw Problem(refusal, at: self.clock.now)
        }
    }

    private func confirmation(
        _ request: Request, _ context: ClubRequestContext
    ) async throws -> (member: Member.ID, id: StepUp.ID, code: String) {
        let member = try context.requireMember().member
        let id = try context.id("id", of: StepUp.self)
        let body = try await request.decode(as: ConfirmationRequest.self, context: context)
        return (member, id, body.code.digits)
    }
}

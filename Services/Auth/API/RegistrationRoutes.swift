import Hummingbird
import Kernel
import Postgres
import Web

/// How colleagues help somebody to become a member: drafts of the support line, paper forms, printed cards. None of them
/// ever shows a code.
struct RegistrationRoutes: Sendable {
    let database: Database
    let draft: DraftRegistration
    let enterForm: EnterPaperForm
    let verifier: AccessTokenVerifier
    let clock: any WallClock

    func add(to router: Router<ClubRequestContext>) {
        router.group()
            .add(middleware: StaffAuthentication(verifier: self.verifier, roles: [.support, .supervisor]))
            .post("/v1/staff/registration-drafts", use: self.postDraft)
        router.group()
            .add(middleware: StaffAuthentication(verifier: self.verifier, roles: [.storeClerk, .supervisor]))
            .post("/v1/staff/paper-forms", use: self.postPaperForm)
        router.group()
            .add(middleware: StaffAuthentication(verifier: self.verifier, roles: [.sysadmin]))
            .post("/v1/staff/card-batches", use: self.postCardBatch)
    }

    @Sendable private func postDraft(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        let staff = try context.requireStaff().staff
        let body = try await request.decode(as: DraftRequest.self, context: context)
        guard let made = try await self.draft(body.fullName, phone: body.phone, by: staff) else {
            throw Problem(ProblemKind.alreadyMember)
        }
        return try .secret(DraftReply(draft: made.draft, expiresAt: made.expiresAt), status: .created)
    }

    @Sendable private func postPaperForm(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        let staff = try context.requireStaff().staff
        let body = try await request.decode(as: PaperFormRequest.self, context: context)
        guard let form = body.form else { throw Problem(.invalidValue, at: "/formNumber") }
        do {
            let entered = try await self.enterForm(form, by: staff)
            return try .secret(
                PaperFormReply(member: entered.member, card: entered.card, confirmAt: entered.confirmAt),
                status: .created)
        } catch let refusal as EnterPaperForm.Refusal {
            throw Problem(refusal)
        }
    }

    @Sendable private func postCardBatch(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        let body = try await request.decode(as: CardBatchRequest.self, context: context)
        guard body.isSane else { throw Problem(.invalidValue, at: "/cards") }
        let loaded = try await self.database.transaction { transaction in
            try await CardStockStore().load(body.cards, batch: body.batch, at: self.clock.now, in: transaction)
        }
        return try .secret(CardBatchReply(loaded: loaded), status: .created)
    }
}

import Contracts
import HTTPTypes
import Hummingbird
import Kernel
import Postgres
import Redemption
import Web

/// What a member does: give, confirm, undo, look. A donation of somebody else is answered like one that does not exist.
struct DonationRoutes: Sendable {
    let donate: Donate
    let idempotency: Idempotency
    let database: Database
    private let batches = BatchStore()

    init(donate: Donate, idempotency: Idempotency, database: Database) {
        (self.donate, self.idempotency, self.database) = (donate, idempotency, database)
    }

    func add(to group: RouterGroup<ClubRequestContext>) {
        group.post("donations", use: self.quote)
        group.get("donations", use: self.list)
        group.get("donations/:donation", use: self.show)
        group.post("donations/:donation/code", use: self.requestCode)
        group.post("donations/:donation/confirm", use: self.confirm)
        group.post("donations/:donation/undo", use: self.undo)
    }

    @Sendable private func quote(_ request: Request, context: ClubRequestContext) async throws -> Response {
        let member = try context.requireMember().member
        let bytes = try await StrictJSON.read(request)
        let wanted = try StrictJSON.decode(DonationBody.self, bytes: bytes).parsed()
        // Before the transaction: the ledger is asked, and no transaction waits for another service.
        return try await self.idempotency.answer(
            request, principal: "member/\(member)", body: bytes,
            preparing: { try await refusing { try await self.donate.prepare(wanted.campaign) } },
            { _, transaction in
                let standing = try await refusing {
                    try await self.donate.quote(
                        wanted.amount, to: wanted.campaign, undoubled: wanted.undoubled, by: member, in: transaction)
                }
                return try .json(DonationAnswer(standing, batch: nil), status: .created)
            })
    }

    @Sendable private func list(_ request: Request, context: ClubRequestContext) async throws -> Answer {
        let member = try context.requireMember().member
        let page = try PageRequest<Donation.ID>(request)
        let found = try await self.donate.list(of: member, before: page.after, limit: page.limit + 1)
        var answers: [DonationAnswer] = []
        for standing in found { answers.append(try await self.answer(standing)) }
        return try .json(Page(answers, limit: page.limit, position: \.id), headers: Self.personal)
    }

    @Sendable private func show(_ request: Request, context: ClubRequestContext) async throws -> Answer {
        let (member, id) = try self.subject(context)
        return try await refusing {
            try .json(try await self.answer(try await self.donate.find(id, of: member)), headers: Self.personal)
        }
    }

    @Sendable private func requestCode(_ request: Request, context: ClubRequestContext) async throws -> Answer {
        let (member, id) = try self.subject(context)
        let body = try await StrictJSON.decode(CodeRequestBody.self, from: request)
        return try await refusing {
            let reply = try await self.donate.requestCode(for: id, of: member, again: body.again ?? false)
            return try .json(CodeAnswer(expiresAt: reply.expiresAt, resendAt: reply.resendAt), status: .accepted)
        }
    }

    @Sendable private func confirm(_ request: Request, context: ClubRequestContext) async throws -> Answer {
        let (member, id) = try self.subject(context)
        let code = try await StrictJSON.decode(ConfirmationBody.self, from: request).parsed()
        return try await refusing {
            let standing = try await self.donate.confirm(id, of: member, code: code)
            guard standing.redemption.state != .reserving else { throw RedemptionRefusal.undecided }
            return try .json(try await self.answer(standing), headers: Self.personal)
        }
    }

    @Sendable private func undo(_ request: Request, context: ClubRequestContext) async throws -> Answer {
        let (member, id) = try self.subject(context)
        return try await refusing {
            try .json(try await self.answer(try await self.donate.undo(id, of: member)), headers: Self.personal)
        }
    }

    private func subject(_ context: ClubRequestContext) throws(Problem) -> (Member.ID, Donation.ID) {
        (try context.requireMember().member, try context.id("donation", of: Donation.self))
    }

    private func answer(_ standing: Donate.Standing) async throws -> DonationAnswer {
        guard let id = standing.donation.batch else { return DonationAnswer(standing, batch: nil) }
        return DonationAnswer(standing, batch: try await self.batches.find(id, in: self.database))
    }

    /// What is a member's own lies in no cache.
    static let personal: HTTPFields = [.cacheControl: "no-store"]
}

import HTTPTypes
import Hummingbird
import JobQueue
import Kernel
import Logging
import Postgres
import Redemption
import Web

/// What colleagues do: funds and campaigns, the settlements that two of them decide, and what stands still.
struct StaffRoutes: Sendable {
    let settle: SettleMonths
    let openFund: OpenFund
    let idempotency: Idempotency
    let database: Database
    let clock: any WallClock
    let ids: IDGenerator
    let redemptions: RedemptionStore
    private let campaigns = CampaignStore()
    private let batches = BatchStore()

    init(
        settle: SettleMonths, openFund: OpenFund, idempotency: Idempotency, database: Database, clock: any WallClock,
        ids: IDGenerator, redemptions: RedemptionStore
    ) {
        (self.settle, self.openFund, self.idempotency, self.database) = (settle, openFund, idempotency, database)
        (self.clock, self.ids, self.redemptions) = (clock, ids, redemptions)
    }

    /// - Parameter only: lets in who has one of the roles.
    func add(
        to router: Router<ClubRequestContext>, _ only: (Set<StaffRole>) -> StaffAuthentication
    ) {
        let operators = router.group("v1/staff").add(middleware: only([.financeOperator]))
        operators.post("funds", use: self.addFund)
        operators.post("campaigns", use: self.addCampaign)
        operators.post("settlements", use: self.prepare)
        operators.post("settlements/:batch/submit", use: self.submit)
        operators.post("settlements/:batch/acknowledge", use: self.acknowledge)
        router.group("v1/staff").add(middleware: only([.financeApprover]))
            .post("settlements/:batch/approve", use: self.approve)
        let readers = router.group("v1/staff")
            .add(middleware: only([.financeOperator, .financeApprover, .supervisor, .auditor]))
        readers.get("settlements", use: self.list)
        readers.get("settlements/:batch/file", use: self.file)
        readers.get("donations/stuck", use: self.stuck)
    }

    @Sendable private func addFund(_ request: Request, context: ClubRequestContext) async throws -> Response {
        let staff = try context.requireStaff().staff
        let bytes = try await StrictJSON.read(request)
        let fund = try StrictJSON.decode(FundBody.self, bytes: bytes).parsed()
        let response = try await self.idempotency.answer(request, principal: "staff/\(staff)", body: bytes) {
            transaction in
            guard try await self.campaigns.add(fund, at: self.clock.now, in: transaction) else {
                throw Problem(.fundExists, at: "/id")
            }
            return try .json(FundAnswer(fund), status: .created)
        }
        if response.status == .created { try await refusing { try await self.openFund(fund.id) } }
        return response
    }

    @Sendable private func addCampaign(_ request: Request, context: ClubRequestContext) async throws -> Response {
        let staff = try context.requireStaff().staff
        let bytes = try await StrictJSON.read(request)
        let body = try StrictJSON.decode(CampaignBody.self, bytes: bytes)
        return try await self.idempotency.answer(request, principal: "staff/\(staff)", body: bytes) { transaction in
            guard let fund = try await self.campaigns.fund(body.fund, in: transaction) else {
                throw Problem(.notFound, at: "/fund")
            }
            let campaign = try body.parsed(id: self.ids.next(), fund: fund)
            try await self.campaigns.add(campaign, at: self.clock.now, in: transaction)
            return try .json(CampaignAnswer(campaign), status: .created)
        }
    }

    @Sendable private func prepare(_ request: Request, context: ClubRequestContext) async throws -> Answer {
        let wanted = try await StrictJSON.decode(PrepareBody.self, from: request).parsed()
        return try await refusing {
            try .json(StaffBatchAnswer(try await self.settle.prepare(wanted.fund, wanted.month)))
        }
    }

    @Sendable private func submit(_ request: Request, context: ClubRequestContext) async throws -> Answer {
        let (staff, id) = try self.subject(context)
        return try await refusing {
            let batch = try await self.database.transaction { transaction in
                try await self.settle.submit(id, by: staff, in: transaction)
            }
            return try .json(StaffBatchAnswer(batch))
        }
    }

    @Sendable private func approve(_ request: Request, context: ClubRequestContext) async throws -> Answer {
        let (staff, id) = try self.subject(context)
        return try await refusing {
            try await self.database.transaction { transaction in
                _ = try await self.settle.approve(id, by: staff, in: transaction)
            }
            do {
                try await self.settle.payApproved()
            } catch let error as CallError {
                // It is approved whatever happens now: the next round of the house-keeping pays.
                Logger.current.warning("The ledger did not pay in time", metadata: ["error": "\(error)"])
            }
            return try .json(StaffBatchAnswer(try await self.settle.find(id)))
        }
    }

    @Sendable private func acknowledge(_ request: Request, context: ClubRequestContext) async throws -> Answer {
        let (staff, id) = try self.subject(context)
        let number = try await StrictJSON.decode(AcknowledgeBody.self, from: request).parsed()
        return try await refusing {
            let batch = try await self.database.transaction { transaction in
                try await self.settle.acknowledge(id, number: number, by: staff, in: transaction)
            }
            return try .json(StaffBatchAnswer(batch))
        }
    }

    @Sendable private func list(_ request: Request, context: ClubRequestContext) async throws -> Answer {
        let page = try PageRequest<Batch.ID>(request)
        let found = try await self.batches.list(
            before: page.after, isPublic: false, limit: page.limit + 1, in: self.database)
        return try .json(Page(found.map(StaffBatchAnswer.init), limit: page.limit, position: \.batch.id))
    }

    @Sendable private func file(_ request: Request, context: ClubRequestContext) async throws -> Answer {
        let id = try context.id("batch", of: Batch.self)
        guard let bytes = try await self.batches.file(of: id, in: self.database) else { throw Problem(.notFound) }
        return Answer(status: .ok, headers: [.contentType: "text/csv; charset=utf-8"], body: bytes)
    }

    /// Donations that have stood where they are for more than an hour, those that wait for a person first.
    @Sendable private func stuck(_ request: Request, context: ClubRequestContext) async throws -> Answer {
        let stuck = try await self.redemptions.stuck(
            since: self.clock.now - .seconds(3600), limit: 100, in: self.database)
        return try .json(stuck.map(StuckAnswer.init))
    }

    private func subject(_ context: ClubRequestContext) throws(Problem) -> (Staff.ID, Batch.ID) {
        (try context.requireStaff().staff, try context.id("batch", of: Batch.self))
    }
}

/// A donation that does not move.
struct StuckAnswer: Encodable, Sendable {
    let donation: RedemptionRecord.ID
    let member: Member.ID
    let state: String
    let since: Timestamp
    let points: Points
    let reason: String?

    init(_ record: RedemptionRecord) {
        (self.donation, self.member, self.state) = (record.id, record.member, record.state.rawValue)
        (self.since, self.points, self.reason) = (record.since, record.points, record.reason)
    }
}

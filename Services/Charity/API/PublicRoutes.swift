import Contracts
import HTTPTypes
import Hummingbird
import Kernel
import Postgres
import Web

/// What everybody may see: whom one can give to, how much was given, and the proof that it arrived.
struct PublicRoutes: Sendable {
    private let database: Database
    private let clock: any WallClock
    private let key: SettlementKey
    private let totals: @Sendable (FetchPurposeTotals) async throws -> FetchPurposeTotals.Reply
    private let counted: BoundedCache<String, FetchPurposeTotals.Reply>
    private let campaigns = CampaignStore()
    private let batches = BatchStore()

    init(
        database: Database, clock: any WallClock, key: SettlementKey,
        totals: @escaping @Sendable (FetchPurposeTotals) async throws -> FetchPurposeTotals.Reply
    ) {
        (self.database, self.clock, self.key, self.totals) = (database, clock, key, totals)
        // Whoever looks at the counter a thousand times a second asks the ledger once in ten.
        self.counted = BoundedCache(lifetime: .seconds(10), countMax: 1000, clock: clock)
    }

    func add(to router: Router<ClubRequestContext>) {
        let group = router.group("v1")
        group.get("funds") { _, _ in
            try Answer.json(try await self.campaigns.funds(in: self.database).map(FundAnswer.init))
        }
        group.get("campaigns") { _, _ in
            let running = try await self.campaigns.campaigns(at: self.clock.now, in: self.database)
            return try Answer.json(running.map(CampaignAnswer.init))
        }
        group.get("counter", use: self.counter)
        group.get("settlements", use: self.settlements)
        group.get("settlements/:batch", use: self.settlement)
        group.get("settlements/:batch/file", use: self.file)
        group.get("settlement-keys", use: self.keys)
    }

    @Sendable private func counter(_ request: Request, context: ClubRequestContext) async throws -> Answer {
        var sums: [CounterAnswer.OfFund] = []
        for fund in try await self.campaigns.funds(in: self.database) {
            let total = try await self.total(of: fund)
            sums.append(
                CounterAnswer.OfFund(
                    fund: fund.id, name: fund.name, donations: total.count, points: total.points,
                    kopecks: total.kopecks))
        }
        return try .json(CounterAnswer(sums), headers: [.cacheControl: "public, max-age=10"])
    }

    private func total(of fund: Fund) async throws -> FetchPurposeTotals.Reply {
        if let known = self.counted[fund.id] { return known }
        let total = try await self.totals(FetchPurposeTotals(purpose: .charity(fund.id)))
        self.counted.insert(total, for: fund.id)
        return total
    }

    @Sendable private func settlements(_ request: Request, context: ClubRequestContext) async throws -> Answer {
        let page = try PageRequest<Batch.ID>(request)
        let found = try await self.batches.list(
            before: page.after, isPublic: true, limit: page.limit + 1, in: self.database)
        return try .json(Page(found.map(BatchAnswer.init), limit: page.limit, position: \.id))
    }

    @Sendable private func settlement(_ request: Request, context: ClubRequestContext) async throws -> Answer {
        try .json(BatchAnswer(try await self.paid(context)))
    }

    @Sendable private func file(_ request: Request, context: ClubRequestContext) async throws -> Answer {
        let batch = try await self.paid(context)
        guard let bytes = try await self.batches.file(of: batch.id, in: self.database) else { throw Problem(.notFound) }
        let name = "\(batch.fund)-\(SettlementFile.text(of: batch.month)).csv"
        return Answer(
            status: .ok,
            headers: [
                .contentType: "text/csv; charset=utf-8", .contentDisposition: "attachment; filename=\"\(name)\"",
            ],
            body: bytes)
    }

    /// What is not paid yet nobody but colleagues knows of.
    private func paid(_ context: ClubRequestContext) async throws -> Batch {
        let id = try context.id("batch", of: Batch.self)
        guard let batch = try await self.batches.find(id, in: self.database),
            batch.state == .paid || batch.state == .acknowledged
        else { throw Problem(.notFound) }
        return batch
    }

    /// The key that signs now, and those that have signed what is still shown.
    @Sendable private func keys(_ request: Request, context: ClubRequestContext) async throws -> Answer {
        let current = self.key.publicKey
        let earlier = try await self.batches.keys(in: self.database).filter { $0 != current }
        return try .json(
            ([current] + earlier).map {
                KeyAnswer(id: $0.id, publicKey: Base64URL.encode($0.bytes), isCurrent: $0 == current)
            })
    }
}

import Kernel
import Postgres
import Redemption

/// An exchange with all that its member may see.
struct ShownExchange: Sendable {
    let order: ExchangeOrder
    let record: RedemptionRecord
    let offer: Offer
    let partner: Partner
    /// All that happened; empty in lists.
    let steps: [RedemptionStep]
    /// The code that was got.
    let code: String?
}

/// Shows members their exchanges.
struct ShowExchanges: Sendable {
    let database: Database
    let vault: ExchangeVault
    let flow: RedemptionFlow
    private let exchanges = ExchangeStore()
    private let partners = PartnerStore()
    private let offers = OfferStore()
    private let codes = CodeStore()

    init(database: Database, vault: ExchangeVault, flow: RedemptionFlow) {
        (self.database, self.vault, self.flow) = (database, vault, flow)
    }

    /// What a code is sealed for.
    static func place(_ offer: String) -> String { "code/\(offer)" }

    /// One with all its steps.
    /// - Throws: `RedemptionRefusal.notFound`.
    func callAsFunction(_ id: Exchange.ID, of member: Member.ID) async throws -> ShownExchange {
        let redemption = RedemptionRecord.ID(id.raw)
        guard let record = try await self.flow.store.find(redemption, of: member, in: self.database),
            let order = try await self.exchanges.find(id, of: member, in: self.database)
        else { throw RedemptionRefusal.notFound }
        let steps = try await self.flow.store.steps(of: redemption, member: member, in: self.database)
        return try await self.show(order, record, steps: steps)
    }

    /// The member's exchanges, the latest first.
    func list(of member: Member.ID, before: Exchange.ID?, limit: Int) async throws -> [ShownExchange] {
        let records = try await self.flow.store.list(
            of: member, before: before.map { RedemptionRecord.ID($0.raw) }, limit: limit, in: self.database)
        let orders = try await self.exchanges.find(
            records.map { Exchange.ID($0.id.raw) }, of: member, in: self.database)
        var shown: [ShownExchange] = []
        for record in records {
            guard let order = orders.first(where: { $0.id.raw == record.id.raw }) else { continue }
            shown.append(try await self.show(order, record, steps: []))
        }
        return shown
    }

    private func show(
        _ order: ExchangeOrder, _ record: RedemptionRecord, steps: [RedemptionStep]
    ) async throws -> ShownExchange {
        guard let offer = try await self.offers.find(order.offer, in: self.database),
            let partner = try await self.partners.find(order.partner, in: self.database)
        else { throw RedemptionRefusal.notFound }
        var code: String?
        if partner.kind == .codes, [.credited, .settled].contains(record.state),
            let found = try await self.codes.find(of: order.id, in: self.database)
        {
            code = try self.vault.open(found.sealed, at: Self.place(order.offer))
        }
        return ShownExchange(
            order: order, record: record, offer: offer, partner: partner, steps: steps, code: code)
    }
}

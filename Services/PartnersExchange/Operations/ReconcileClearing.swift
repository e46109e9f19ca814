import Contracts
import JobQueue
import Kernel
import Postgres
import Redemption

/// Compares what we have with the ledger's clearing accounts, which return to zero: the third side of reconciliation, beside
/// ours and the partner's. Every difference becomes a work item.
struct ReconcileClearing: Sendable {
    /// What is younger may be on its way.
    static let grace = Duration.seconds(3600)
    private static let pageSize = 500

    let database: Database
    let bus: Bus
    let clock: any WallClock
    let ids: IDGenerator
    let flow: RedemptionFlow
    private let partners = PartnerStore()
    private let exchanges = ExchangeStore()
    private let items = WorkItemStore()

    init(database: Database, bus: Bus, clock: any WallClock, ids: IDGenerator, flow: RedemptionFlow) {
        (self.database, self.bus, self.clock) = (database, bus, clock)
        (self.ids, self.flow) = (ids, flow)
    }

    /// All partners that have accounts.
    /// - Returns: how many differences there are, those of earlier rounds among them.
    /// - Throws: `CallError` when the ledger does not answer.
    @discardableResult
    func callAsFunction() async throws -> Int {
        var differences = 0
        for partner in try await self.partners.list(nil, in: self.database) where partner.isOpen {
            differences += try await self.reconcile(partner)
        }
        return differences
    }

    private func reconcile(_ partner: Partner) async throws -> Int {
        // Ours first: what is settled in between is then missing on neither side.
        let edge = self.clock.now - Self.grace
        let ours = try await self.exchanges.taken(at: partner.code, before: edge, in: self.database)
        let clearing = try await self.clearing(of: partner)
        var differences = 0
        for item in clearing where item.openedAt < edge {
            let id = RedemptionRecord.ID(item.hold.raw)
            let record = try await self.flow.store.find(id, of: item.member, in: self.database)
            // What waits for a person is on the list already.
            guard record.map({ $0.state.isEnd }) ?? true else { continue }
            differences += 1
            let state = record?.state.rawValue ?? "unknown"
            try await self.note(
                .openInClearing, partner, item.hold, item.member, "\(state), \(item.points)")
        }
        let holds = Set(clearing.map(\.hold))
        for order in ours where !holds.contains(Hold.ID(order.id.raw)) {
            // Read again: it may have been settled while the ledger was asked.
            let id = RedemptionRecord.ID(order.id.raw)
            guard let record = try await self.flow.store.find(id, of: order.member, in: self.database),
                record.capturedBy != nil, [.accepted, .credited].contains(record.state)
            else { continue }
            differences += 1
            try await self.note(
                .missingInClearing, partner, Hold.ID(order.id.raw), order.member,
                "\(record.state.rawValue), \(order.points)")
        }
        return differences
    }

    private func clearing(of partner: Partner) async throws -> [ListClearing.Item] {
        var items: [ListClearing.Item] = []
        while true {
            let call = ListClearing(
                purpose: .partner(partner.code), after: items.last?.hold, limit: Self.pageSize)
            let page = try await self.bus.call(call).items
            items += page
            guard page.count == Self.pageSize else { return items }
        }
    }

    private func note(
        _ kind: WorkItem.Kind, _ partner: Partner, _ hold: Hold.ID, _ member: Member.ID, _ detail: String
    ) async throws {
        try await self.items.open(
            WorkItem(
                id: self.ids.next(), kind: kind, partner: partner.code, subject: "\(hold)", member: member,
                exchange: Exchange.ID(hold.raw), detail: detail, openedAt: self.clock.now), in: self.database)
    }
}

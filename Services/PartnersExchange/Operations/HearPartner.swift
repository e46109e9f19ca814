import Kernel
import Postgres
import Redemption

/// What a partner says of an order by itself: in a webhook, or in its file.
struct HearPartner: Sendable {
    let clock: any WallClock
    let ids: IDGenerator
    let flow: RedemptionFlow
    private let exchanges = ExchangeStore()
    private let items = WorkItemStore()

    init(clock: any WallClock, ids: IDGenerator, flow: RedemptionFlow) {
        (self.clock, self.ids, self.flow) = (clock, ids, flow)
    }

    /// What became of it.
    enum Heard: Hashable, Sendable {
        /// It is written, or was known.
        case taken(moved: Bool)
        /// None of this partner's orders has this id.
        case unknownOrder
        /// It cannot be true beside what is written: a person must look.
        case contradiction
    }

    /// Heard twice it is as heard once.
    func callAsFunction(
        _ answer: FulfilmentAnswer, about order: Exchange.ID, from partner: String,
        in transaction: borrowing Transaction
    ) async throws -> Heard {
        guard let known = try await self.exchanges.find(order, at: partner, in: transaction) else {
            return .unknownOrder
        }
        let id = RedemptionRecord.ID(order.raw)
        do {
            let before = try await self.flow.store.find(id, of: known.member, in: transaction)
            let after = try await self.flow.hear(answer, about: id, of: known.member, in: transaction)
            return .taken(moved: before?.state != after?.state)
        } catch let contradiction as Contradiction {
            try await self.items.open(
                WorkItem(
                    id: self.ids.next(), kind: .contradiction, partner: partner, subject: "\(order)",
                    member: known.member, exchange: order, detail: contradiction.summary, openedAt: self.clock.now),
                in: transaction)
            return .contradiction
        }
    }
}

extension Contradiction {
    /// For the one who looks at it: what is written, and what was said.
    var summary: String {
        let said =
            switch self.answer {
            case .accepted: "accepted"
            case .credited: "credited"
            case .rejected: "rejected"
            case .pending: "pending"
            case .unknown: "unknown"
            case .notFound: "not-found"
            }
        return "\(self.state.rawValue), \(said)"
    }
}

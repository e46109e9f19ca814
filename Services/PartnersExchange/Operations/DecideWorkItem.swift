import Kernel
import Postgres
import Redemption

/// What a colleague found out about a work item. Of an exchange that waits for it, it is heard as if the partner had said
/// it; other items are closed with a comment.
struct DecideWorkItem: Sendable {
    enum Decision: String, Codable, Sendable {
        /// The partner will do it, has done it, or has not and will not.
        case accepted, credited, rejected
        /// Nothing is to be done any more.
        case noted
    }

    enum Refusal: Error, Hashable, Sendable {
        case unknownItem
        /// Somebody has decided about it.
        case closed
        /// Only an exchange that waits for a person can be decided.
        case notDecidable
    }

    let database: Database
    let clock: any WallClock
    let flow: RedemptionFlow
    private let items = WorkItemStore()

    init(database: Database, clock: any WallClock, flow: RedemptionFlow) {
        (self.database, self.clock, self.flow) = (database, clock, flow)
    }

    /// - Throws: ``Refusal``.
    func callAsFunction(
        _ id: WorkItem.ID, _ decision: Decision, comment: String, by staff: Staff.ID
    ) async throws -> WorkItem {
        try await self.database.transaction { transaction in
            guard var item = try await self.items.find(id, in: transaction) else { throw Refusal.unknownItem }
            let now = self.clock.now
            guard try await self.items.close(id, by: staff, comment: comment, at: now, in: transaction) else {
                throw Refusal.closed
            }
            if let answer = decision.answer {
                guard item.kind == .stuck, let member = item.member, let exchange = item.exchange,
                    let record = try await self.flow.store.find(
                        RedemptionRecord.ID(exchange.raw), of: member, in: transaction), record.state == .manual
                else { throw Refusal.notDecidable }
                try await self.flow.hear(answer, about: record.id, of: member, in: transaction)
            }
            (item.closedAt, item.closedBy, item.comment) = (now, staff, comment)
            return item
        }
    }
}

extension DecideWorkItem.Decision {
    fileprivate var answer: FulfilmentAnswer? {
        switch self {
        case .accepted: .accepted(reference: nil)
        case .credited: .credited(reference: nil)
        case .rejected: .rejected(reason: "decided-by-staff")
        case .noted: nil
        }
    }
}

internal import Contracts
internal import JobQueue
internal import Kernel
internal import Logging
internal import Metrics
internal import Postgres

/// Enters a batch of receipts into the books: one statement for all of them, one event for each new one.
///
/// A receipt that is there already changes nothing; one that comes again with other content is refused alone, kept as
/// evidence and counted. Neither touches the rest of the batch.
struct PostReceipts: Sendable {
    private let bus: Bus
    private let clock: any WallClock
    private let logger: Logger
    private let store = ReceiptStore()
    private let posted = Counter(label: "ledger_receipts_posted_total")
    private let replayed = Counter(label: "ledger_receipts_replayed_total")
    private let refused = Counter(label: "ledger_receipts_refused_total")

    init(bus: Bus, clock: any WallClock, logger: Logger) {
        self.bus = bus
        self.clock = clock
        self.logger = logger
    }

    @discardableResult
    func callAsFunction(
        _ receipts: [PostReceipt], in transaction: borrowing Transaction
    ) async throws -> [PostingOutcome] {
        guard !receipts.isEmpty else { return [] }
        let outcomes = try await self.store.post(receipts, at: self.clock.now, in: transaction)
        let events = try zip(receipts, outcomes).compactMap(Self.event)
        try await self.bus.publish(contentsOf: events, in: transaction)
        transaction.afterCommit { self.count(receipts, outcomes) }
        return outcomes
    }

    private static func event(_ receipt: PostReceipt, _ outcome: PostingOutcome) throws -> PointsEarned? {
        guard case .posted(let id, let recordedAt, let credited, let repaid, let waiting) = outcome else { return nil }
        guard let points = credited.adding(repaid)?.adding(waiting) else { throw PointsOverflow() }
        return PointsEarned(
            transaction: id, receipt: receipt.receipt, member: receipt.member, points: points,
            effectiveAt: receipt.effectiveAt, recordedAt: recordedAt)
    }

    private func count(_ receipts: [PostReceipt], _ outcomes: [PostingOutcome]) {
        for (receipt, outcome) in zip(receipts, outcomes) {
            switch outcome {
            case .posted: self.posted.increment()
            case .replayed: self.replayed.increment()
            case .refused(let standing):
                self.refused.increment()
                self.logger.warning(
                    "A receipt came again with other content and was refused",
                    metadata: ["ledger.receipt": "\(receipt.receipt)", "ledger.standing": "\(standing)"])
            }
        }
    }
}

/// More points than 64 bits hold.
struct PointsOverflow: Error {}

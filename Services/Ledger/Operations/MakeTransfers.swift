internal import Contracts
internal import JobQueue
internal import Kernel
internal import Metrics
internal import Postgres

/// Does what others ask for in the books, alone or several hundred at a time. A refusal refuses itself alone.
struct MakeTransfers: Sendable {
    private let bus: Bus
    private let clock: any WallClock
    private let store = TransferStore()

    init(bus: Bus, clock: any WallClock) {
        (self.bus, self.clock) = (bus, clock)
    }

    /// One statement for all of them, and an event for each.
    func callAsFunction(_ transfers: [Transfer], in transaction: borrowing Transaction) async throws {
        let outcomes = try await self.answers(to: transfers, in: transaction)
        try await self.bus.publish(contentsOf: zip(transfers, outcomes).map(TransferDone.init), in: transaction)
    }

    /// The answer to one of them, for who waits for it.
    func answer(to transfer: Transfer, in transaction: borrowing Transaction) async throws -> TransferOutcome {
        guard let answer = try await self.answers(to: [transfer], in: transaction).first else {
            throw UnexpectedAnswer.count(0, expected: 1)
        }
        return answer
    }

    /// What can be seen to be senseless is not shown to the database, which would refuse the whole batch.
    private func answers(
        to transfers: [Transfer], in transaction: borrowing Transaction
    ) async throws -> [TransferOutcome] {
        let sensible = transfers.filter(\.isSensible)
        var found = try await self.store.apply(sensible, at: self.clock.now, in: transaction).makeIterator()
        let outcomes = transfers.map { $0.isSensible ? found.next() ?? .refused(.nothing) : .refused(.nothing) }
        transaction.afterCommit {
            for (transfer, outcome) in zip(transfers, outcomes) { Self.count(transfer, outcome) }
        }
        return outcomes
    }

    private static func count(_ transfer: Transfer, _ outcome: TransferOutcome) {
        let refusal =
            switch outcome {
            case .done: "none"
            case .refused(let refusal): refusal.rawValue
            }
        Counter(
            label: "ledger_transfers_total",
            dimensions: [("kind", transfer.kind.rawValue), ("refusal", refusal)]
        ).increment()
    }
}

extension Transfer {
    /// Whether there is something to do.
    fileprivate var isSensible: Bool {
        switch self {
        case .hold(let call): call.points > .zero && 1...(30 * 86_400) ~= call.expiresInSeconds
        case .capture(let call):
            call.points != .zero && (call.closes ?? true || (call.capture != nil && call.points != nil))
        case .return(let goods):
            goods.lines.count <= 10_000 && !goods.returned.isEmpty && goods.returned.allSatisfy { $0.sum > .zero }
        case .stickers(let move): move.count != 0 && move.count != .min
        case .requestAdjustment(let request):
            request.points != 0 && request.points != .min && !request.ticket.isEmpty && !request.reason.isEmpty
                && (request.cause == .correction || request.points > 0)
        case .redeemCertificate(let redemption): redemption.kopecks > .zero
        case .earn, .void, .expire, .settle, .payOut, .issueCertificate, .expireCertificate, .decideAdjustment, .merge,
            .reverse:
            true
        }
    }
}

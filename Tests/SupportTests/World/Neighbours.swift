import Contracts
import JobQueue
import Kernel
import NIOConcurrencyHelpers
import Postgres
import TestSupport

@testable import Support

/// auth, promotions and the ledger as a test tells them to be: real workers on the real bus.
final class Neighbours: Sendable {
    private struct State {
        var explanation = ExplainReceipt.Reply(
            finding: .unknown, receipt: nil, points: nil, isPosted: false, reasons: [])
        var transfers: [LedgerTransfer.ID: Transfer] = [:]
        var refusal: TransferRefusal?
        var questions = 0
    }

    private let state = NIOLockedValueBox(State())
    /// What auth was asked to tell.
    let notices = Signal<Notify>()

    /// What the ledger has done.
    var transfers: [Transfer] { self.state.withLockedValue { Array($0.transfers.values) } }
    /// How often promotions was asked.
    var questions: Int { self.state.withLockedValue { $0.questions } }

    func explains(_ finding: ExplainReceipt.Finding, points: Int64? = nil, isPosted: Bool = false) {
        self.state.withLockedValue {
            $0.explanation = ExplainReceipt.Reply(
                finding: finding, receipt: nil, points: points.flatMap { Points($0) }, isPosted: isPosted,
                reasons: points == nil ? [] : ["Хлеб: 22 балла"])
        }
    }

    func refuses(_ refusal: TransferRefusal?) {
        self.state.withLockedValue { $0.refusal = refusal }
    }

    /// Runs support's own worker and those of its neighbours around the body.
    func run<R: Sendable>(
        around world: SupportWorld, _ body: @escaping @Sendable () async throws -> R
    ) async throws -> R {
        try await withThrowingTaskGroup(of: R?.self) { group in
            let workers = [
                Worker(bus: world.bus, queues: SupportHandlers.queues, handlers: world.parts.handlers.all),
                Worker(bus: try SupportWorld.bus("auth", world.owner), handlers: self.authHandlers),
                Worker(bus: try SupportWorld.bus("promotions", world.owner), handlers: self.promotionsHandlers),
                Worker(bus: try SupportWorld.bus("ledger", world.owner), handlers: self.ledgerHandlers),
            ]
            for worker in workers {
                group.addTask {
                    try await worker.run()
                    return nil
                }
            }
            group.addTask {
                // What is published before somebody listens is heard by nobody.
                try await eventually("support listens") {
                    try await world.count("select count(*) from queue.subscription") == 3
                }
                return try await body()
            }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw CancellationError()
        }
    }

    private var authHandlers: [Handler] {
        [.transactional(Notify.self) { notice, _, _ in self.notices.send(notice) }]
    }

    private var promotionsHandlers: [Handler] {
        [
            .reply(ExplainReceipt.self) { _, _, _ in
                self.state.withLockedValue { state in
                    state.questions += 1
                    return state.explanation
                }
            }
        ]
    }

    private var ledgerHandlers: [Handler] {
        [
            .reply(MakeTransfer.self) { call, _, _ in
                self.state.withLockedValue { state in
                    if let refusal = state.refusal { return .refused(refusal) }
                    var result = TransferResult()
                    switch call.transfer {
                    case .requestAdjustment(let request):
                        state.transfers[request.id] = call.transfer
                        result.state = .requested
                    case .decideAdjustment(let decision):
                        guard case .requestAdjustment(let request)? = state.transfers[decision.adjustment] else {
                            return .refused(.unknownAdjustment)
                        }
                        guard request.maker != decision.checker else { return .refused(.samePerson) }
                        state.transfers[decision.id] = call.transfer
                        result.state = decision.approves ? .approved : .rejected
                    default: return .refused(.nothing)
                    }
                    return .done(result)
                }
            }
        ]
    }
}

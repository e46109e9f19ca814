import Contracts
import JobQueue
import Kernel
import NIOConcurrencyHelpers
import Postgres
import TestSupport
import Web

@testable import Promotions

/// auth and ledger as a test tells them to be: real workers on the real bus.
final class Neighbours: Sendable {
    private struct State {
        var cards: [CardNumber: Member.ID] = [:]
        var keys: [String: TillKeyRecord] = [:]
        var holds: [Hold.ID: PlaceHold.Reply] = [:]
        var available: Int64 = 0
        var questions: [String] = []
        var captureRefusal: HoldRefusal?
        var locked: Set<Member.ID> = []
    }

    private let state = NIOLockedValueBox(State())

    /// What the neighbours were asked, in order.
    var questions: [String] { self.state.withLockedValue { $0.questions } }

    func knows(_ card: CardNumber, of member: Member.ID) {
        self.state.withLockedValue { $0.cards[card] = member }
    }

    func knows(_ key: TillKeyRecord) {
        self.state.withLockedValue { $0.keys[key.id] = key }
    }

    func grants(_ points: Int64) {
        self.state.withLockedValue { $0.available = points }
    }

    /// auth has locked a member's spending, and has not told it yet.
    func locks(_ member: Member.ID) {
        self.state.withLockedValue { _ = $0.locked.insert(member) }
    }

    func refusesCaptures(_ refusal: HoldRefusal) {
        self.state.withLockedValue { $0.captureRefusal = refusal }
    }

    /// Runs promotions' own worker and those of its neighbours around the body.
    /// - Parameter isLedgerThere: otherwise its questions wait.
    func run<R: Sendable>(
        around world: TillWorld, isLedgerThere: Bool = true, _ body: @escaping @Sendable () async throws -> R
    ) async throws -> R {
        try await withThrowingTaskGroup(of: R?.self) { group in
            let workers =
                [
                    Worker(bus: world.bus, queues: PromotionsParts.queues, handlers: world.parts.handlers),
                    Worker(bus: TillWorld.bus("auth", world.owner), handlers: self.authHandlers),
                ]
                + (isLedgerThere
                    ? [Worker(bus: TillWorld.bus("ledger", world.owner), handlers: self.ledgerHandlers)] : [])
            for worker in workers {
                group.addTask {
                    try await worker.run()
                    return nil
                }
            }
            group.addTask { try await body() }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw CancellationError()
        }
    }

    private var authHandlers: [Handler] {
        [
            .reply(FetchStanding.self) { call, _, _ in
                FetchStanding.Reply(
                    MemberStanding(
                        isActive: true,
                        isSpendingLocked: self.state.withLockedValue { $0.locked.contains(call.member) },
                        phoneChangedAt: nil, language: "ru"))
            },
            .reply(ResolveCard.self) { call, _, _ in
                self.state.withLockedValue { state in
                    state.questions.append("card")
                    return ResolveCard.Reply(member: state.cards[call.card])
                }
            },
            .reply(ResolveTillKey.self) { call, _, _ in
                self.state.withLockedValue { state in
                    state.questions.append("key \(call.id)")
                    return ResolveTillKey.Reply(key: state.keys[call.id])
                }
            },
        ]
    }

    private var ledgerHandlers: [Handler] {
        [
            .reply(PlaceHold.self) { call, _, _ in self.place(call) },
            .reply(CaptureHold.self) { call, _, _ in
                self.state.withLockedValue { state in
                    state.questions.append("capture \(call.points?.amount ?? 0)")
                    if let refusal = state.captureRefusal { return .refused(refusal) }
                    return .captured(
                        transaction: LedgerTransaction.ID(call.hold.raw), points: call.points ?? .zero, released: .zero,
                        available: .zero)
                }
            },
            .reply(VoidHold.self) { _, _, _ in
                self.state.withLockedValue { state in
                    state.questions.append("void")
                    return .voided(released: .zero, available: .zero)
                }
            },
        ]
    }

    private func place(_ call: PlaceHold) -> PlaceHold.Reply {
        self.state.withLockedValue { state in
            state.questions.append("hold \(call.points.amount)")
            if let earlier = state.holds[call.hold] { return earlier }
            let reply: PlaceHold.Reply
            if call.points.amount <= state.available {
                state.available -= call.points.amount
                reply = .placed(
                    available: Points(state.available) ?? .zero,
                    expiresAt: Make.noon + .seconds(call.expiresInSeconds))
            } else {
                reply = .refused(.insufficientPoints, available: Points(state.available))
            }
            state.holds[call.hold] = reply
            return reply
        }
    }
}

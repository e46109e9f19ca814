import Contracts
import JobQueue
import Kernel
import NIOConcurrencyHelpers
import PartnersExchange
import Postgres
import TestSupport
import Testing

@testable import Ledger
@testable import Redemption

/// The command of a service that exists for tests, on the tables of partners-exchange.
struct DriveTrial: RedemptionDrive {
    static let name = "partners_exchange.drive-trial"
    static let queue: QueueName = "partners_exchange.drive"
    let member: Member.ID
    let redemption: RedemptionRecord.ID
}

extension Trait where Self == DatabaseTrait {
    static var redemptionDatabase: Self {
        .database(JobQueueMigrations.set, LedgerModule.migrations, PartnersExchangeModule.migrations)
    }
}

/// The flow between a real database, the real ledger, and an other side and an auth that do as they are told. The calls
/// are made without the bus, so that a test can break the flow off at each of them.
struct RedemptionWorld: Sendable {
    static let code = "123456"

    let clock = ManualClock()
    let owner: Database
    let ledger: Database
    let database: Database
    let ids: IDGenerator
    let otherSide = OtherSide()
    let breaks = Breaks()
    let flow: RedemptionFlow

    init(policy: RedemptionPolicy = RedemptionPolicy(action: .exchange)) async throws {
        let test = try TestDatabase.current
        (self.owner, self.ledger) = (test.owner, test.database(for: "ledger"))
        self.database = test.database(for: "partners_exchange")
        self.ids = .seeded(1, clock: self.clock)
        let bus = Bus(
            service: "partners_exchange", database: self.database,
            listener: Listener(test.configuration(), reactor: test.reactor, logger: CapturedLogs.logger),
            callPatience: BusyMachine.callPatience, logger: CapturedLogs.logger)
        self.otherSide.breaks = self.breaks
        self.flow = RedemptionFlow(
            schema: "partners_exchange", database: self.database, bus: bus, clock: self.clock, ids: self.ids,
            policy: policy, calls: Self.calls(bus, self.ledger, self.clock, self.breaks), drive: DriveTrial.self,
            fulfilment: self.otherSide)
        try await self.ledger.execute("select ledger.make_partitions(\(self.clock.now), 24)")
        try await self.owner.execute("select ledger.open_partner('trial')")
    }

    private static func calls(
        _ bus: Bus, _ ledger: Database, _ clock: ManualClock, _ breaks: Breaks
    ) -> RedemptionCalls {
        var calls = RedemptionCalls(bus: bus)
        calls.requestStepUp = { _ in
            try await breaks.around { RequestStepUp.Reply(expiresAt: clock.now + .seconds(300), resendAt: nil) }
        }
        calls.confirmStepUp = { call in
            try await breaks.around { ConfirmStepUp.Reply(call.code == Self.code ? nil : .codeRefused) }
        }
        calls.placeHold = { call in
            try await breaks.around {
                try await ledger.transaction { try await ReservePoints(clock: clock)(call, in: $0) }
            }
        }
        calls.voidHold = { call in
            try await breaks.around {
                try await ledger.transaction { try await ReleasePoints(clock: clock)(call, in: $0) }
            }
        }
        calls.makeTransfer = { transfer in
            try await breaks.around {
                let outcomes = try await ledger.transaction {
                    try await TransferStore().apply([transfer], at: clock.now, in: $0)
                }
                return try #require(outcomes.first)
            }
        }
        return calls
    }

    /// A member with points.
    func member(_ points: Int64) async throws -> Member.ID {
        let member = self.ids.next(Member.self)
        let receipt = PostReceipt(
            receipt: self.ids.next(), member: member,
            fiscal: try #require(
                FiscalID(fn: "9960440300000001", fd: Int64(self.breaks.count(of: "receipt")), fpd: 7)),
            store: try #require(StoreID("moscow-1")), effectiveAt: self.clock.now, total: try #require(Kopecks(100)),
            accruals: [.init(lotClass: .regular, points: try #require(Points(points)), rule: "base")], ruleset: 1)
        _ = try await self.ledger.transaction {
            try await TransferStore().apply([.earn(receipt)], at: self.clock.now, in: $0)
        }
        return member
    }

    func quote(_ points: Int64, of member: Member.ID, pause: Duration = .zero) async throws -> RedemptionRecord.ID {
        let new = NewRedemption(
            id: self.ids.next(), member: member, purpose: .partner("trial"), points: try #require(Points(points)),
            worth: try #require(Kopecks(points * 10)), target: "Trial", pause: pause,
            quotedUntil: self.clock.now + .seconds(600))
        return try await self.database.transaction { try await self.flow.open(new, in: $0).id }
    }

    func record(_ id: RedemptionRecord.ID, of member: Member.ID) async throws -> RedemptionRecord {
        try #require(try await self.flow.store.find(id, of: member, in: self.database))
    }

    /// Moves time on from duty to duty until nothing happens by itself any more.
    @discardableResult
    func drive(_ id: RedemptionRecord.ID, of member: Member.ID, at most: Int = 100) async throws -> RedemptionRecord {
        for _ in 0..<most {
            let record = try await self.record(id, of: member)
            guard let due = record.dueAt, record.duty != nil else { return record }
            if due > self.clock.now { self.clock.set(to: due) }
            do {
                try await self.flow.advance(id, of: member)
            } catch is CancellationError {
                // The process is gone; the next one looks at the row.
            }
        }
        return try await self.record(id, of: member)
    }

    /// What the member has: available and held.
    func balance(of member: Member.ID) async throws -> [Int64] {
        let balance = try await ReadMemberAccount(database: self.ledger, clock: self.clock).balance(of: member)
        return [balance.available.amount, balance.held.amount]
    }

    /// Points on the clearing account.
    func clearing() async throws -> Int64 {
        try await self.owner.one(
            "select coalesce(sum(points), 0)::bigint from ledger.clearing_item where settled_at is null"
        ).decode(Int64.self)
    }

    func steps(_ id: RedemptionRecord.ID, of member: Member.ID) async throws -> [RedemptionState] {
        try await self.flow.store.steps(of: id, member: member, in: self.database).map(\.state)
    }

    /// The books are right by the ledger's own proof.
    func expectBooksInOrder() async throws {
        let findings = try await VerifyLedger(database: self.ledger, clock: self.clock)()
        #expect(findings.isEmpty, "\(findings)")
    }
}

/// Breaks the flow off at one of its calls to the outside, as a killed process would.
final class Breaks: Sendable {
    private struct State {
        var calls = 0
        var at: Int?
        var isAfter = false
        var counts: [String: Int] = [:]
        var dice: SplitMix64?
    }

    private let state = NIOLockedValueBox(State())

    /// Break at the so-manieth call from now, before it is made or after it was answered. nil: never.
    func arm(_ at: Int?, isAfter: Bool) {
        self.state.withLockedValue { ($0.calls, $0.at, $0.isAfter) = (0, at, isAfter) }
    }

    /// Break at one call in six by the dice, before or after; nil: never.
    func roll(_ dice: SplitMix64?) {
        self.state.withLockedValue { $0.dice = dice }
    }

    /// Whether the armed call has come.
    var hasBroken: Bool { self.state.withLockedValue { state in state.at.map { state.calls >= $0 } ?? false } }

    /// A number that rises by one for each name.
    func count(of name: String) -> Int {
        self.state.withLockedValue { state in
            state.counts[name, default: 0] += 1
            return state.counts[name, default: 0]
        }
    }

    func around<Reply>(_ call: () async throws -> Reply) async throws -> Reply {
        let (breaks, isAfter) = self.state.withLockedValue { state in
            state.calls += 1
            if var dice = state.dice {
                let face = Int.random(in: 0..<12, using: &dice)
                state.dice = dice
                return (face < 2, face == 1)
            }
            return (state.calls == state.at, state.isAfter)
        }
        if breaks, !isAfter { throw CancellationError() }
        let reply = try await call()
        if breaks { throw CancellationError() }
        return reply
    }
}

/// The other side: does as it is told, and keeps what it was asked.
final class OtherSide: Fulfilment {
    /// How it behaves.
    enum Manner: String, CaseIterable, Sendable {
        /// Accepts, and has credited when it is asked.
        case accepts
        /// Credits at once.
        case credits
        /// Rejects at once.
        case rejects
        /// Accepts, and has rejected when it is asked.
        case rejectsLate
        /// Does it and answers nothing, once.
        case swallowsAnswer
        /// Hears nothing of the first order.
        case losesOrder
        /// Never answers.
        case isSilent
    }

    private struct State {
        var manner = Manner.accepts
        var orders: [RedemptionRecord.ID: Int] = [:]
        var breaks: Breaks?
        var refuses: RedemptionState?
    }

    struct Silent: Error {}

    /// What cannot be made true together with a step.
    struct Unwilling: Error {}

    private let state = NIOLockedValueBox(State())

    var manner: Manner {
        get { self.state.withLockedValue { $0.manner } }
        set { self.state.withLockedValue { $0.manner = newValue } }
    }

    var breaks: Breaks? {
        get { self.state.withLockedValue { $0.breaks } }
        set { self.state.withLockedValue { $0.breaks = newValue } }
    }

    /// How often an order was sent.
    func requests(for id: RedemptionRecord.ID) -> Int { self.state.withLockedValue { $0.orders[id] ?? 0 } }

    /// The step that it does not let happen.
    var refuses: RedemptionState? {
        get { self.state.withLockedValue { $0.refuses } }
        set { self.state.withLockedValue { $0.refuses = newValue } }
    }

    func submit(_ redemption: RedemptionRecord) async throws -> FulfilmentAnswer {
        try await self.breaking {
            let (manner, isFirst) = self.state.withLockedValue { state in
                state.orders[redemption.id, default: 0] += 1
                return (state.manner, state.orders[redemption.id] == 1)
            }
            switch manner {
            case .accepts, .rejectsLate: return .accepted(reference: "ref")
            case .credits: return .credited(reference: "ref")
            case .rejects: return .rejected(reason: "account-closed")
            case .isSilent: throw Silent()
            case .swallowsAnswer, .losesOrder:
                if isFirst { throw Silent() }
                return .credited(reference: "ref")
            }
        }
    }

    func inquire(_ redemption: RedemptionRecord) async throws -> FulfilmentAnswer {
        try await self.breaking {
            let (manner, requests) = self.state.withLockedValue { ($0.manner, $0.orders[redemption.id] ?? 0) }
            if requests == 0 { return .notFound }
            switch manner {
            case .accepts, .credits, .swallowsAnswer: return .credited(reference: "ref")
            case .rejects, .rejectsLate: return .rejected(reason: "account-closed")
            case .losesOrder: return requests == 1 ? .notFound : .credited(reference: "ref")
            case .isSilent: throw Silent()
            }
        }
    }

    func settlement(of redemption: RedemptionRecord) -> Transfer? {
        .settle(SettleExchange(id: redemption.transfer, member: redemption.member, hold: redemption.hold))
    }

    func moved(
        _ redemption: RedemptionRecord, from: RedemptionState, in transaction: borrowing Transaction
    ) async throws {
        if redemption.state == self.refuses { throw Unwilling() }
    }

    private func breaking(_ body: () async throws -> FulfilmentAnswer) async throws -> FulfilmentAnswer {
        guard let breaks = self.breaks else { return try await body() }
        return try await breaks.around(body)
    }
}

import Contracts
import JobQueue
import Kernel
import Postgres

/// Accepts receipts: judges them, stores them with the ruleset pinned, and sends them to the ledger, in one
/// transaction.
///
/// A receipt is its fiscal triple. Whoever delivers it again gets the answer that is stored; the same triple with other
/// content is refused and written down as a suspicion. Of receipts delivered at the same moment one is stored, and the
/// others wait for it.
struct AcceptReceipts: Sendable {
    enum Acceptance: Hashable, Sendable {
        case accepted(ReceiptAnswer)
        /// Stored before; the answer of then.
        case repeated(ReceiptAnswer)
    }

    /// A receipt and who brought it.
    struct Delivery: Sendable {
        let receipt: TillReceipt
        let till: Till
    }

    private let database: Database
    private let bus: Bus
    private let judge: JudgeSales
    private let months: Months
    private let clock: any WallClock
    private let ids: IDGenerator
    private let store = ReceiptStore()

    init(
        database: Database, bus: Bus, judge: JudgeSales, months: Months, clock: any WallClock, ids: IDGenerator
    ) {
        (self.database, self.bus, self.judge, self.months) = (database, bus, judge, months)
        (self.clock, self.ids) = (clock, ids)
    }

    /// One answer for each receipt, in their order. All are stored in one transaction, each refused alone.
    func callAsFunction(_ deliveries: [Delivery]) async throws -> [Result<Acceptance, ReceiptRefusal>] {
        let now = self.clock.now
        let judgements = try await self.judge(deliveries.map { ($0.receipt.sale, $0.till) }, at: now)
        let recalled = try await self.recall(deliveries, judgements)
        var judged: [JudgedReceipt] = []
        var outcomes: [Result<Acceptance, ReceiptRefusal>?] = []
        for (delivery, judgement) in zip(deliveries, judgements) {
            switch judgement {
            case .success(let judgement):
                judged.append(
                    JudgedReceipt(
                        id: self.ids.next(), receipt: delivery.receipt, member: judgement.member,
                        evaluation: judgement.evaluation, fingerprint: delivery.receipt.fingerprint,
                        till: delivery.till.key, acceptedAt: now))
                outcomes.append(nil)
            case .failure(let refusal):
                let earlier = recalled[delivery.receipt]
                outcomes.append(earlier.map { .success(.repeated($0)) } ?? .failure(refusal))
            }
        }
        var stored = try await self.store(judged).makeIterator()
        return outcomes.map { $0 ?? stored.next() ?? .failure(.undecided) }
    }

    /// A receipt that was accepted in time and is repeated after its time is answered like any repetition.
    private func recall(
        _ deliveries: [Delivery], _ judgements: [Result<JudgeSales.Judgement, ReceiptRefusal>]
    ) async throws -> [TillReceipt: ReceiptAnswer] {
        let late = zip(deliveries, judgements).compactMap { delivery, judgement -> TillReceipt? in
            if case .failure(.tooOld) = judgement { delivery.receipt } else { nil }
        }
        guard !late.isEmpty else { return [:] }
        let stored = try await self.store.stored(late.map(\.fiscal), in: self.database)
        var answers: [TillReceipt: ReceiptAnswer] = [:]
        for receipt in late {
            guard let stored = stored[receipt.fiscal], stored.fingerprint == receipt.fingerprint else { continue }
            answers[receipt] = stored.answer
        }
        return answers
    }

    private func store(_ judged: [JudgedReceipt]) async throws -> [Result<Acceptance, ReceiptRefusal>] {
        guard !judged.isEmpty else { return [] }
        try await self.months.ensure(judged.map(\.receipt.sale.at))
        return try await self.database.transaction { transaction in
            let fresh = try await self.store.insert(judged, in: transaction)
            let posts = judged.filter { fresh.contains($0.id) }.map { PostReceipt($0) }
            if !posts.isEmpty { try await self.bus.send(contentsOf: posts, in: transaction) }
            let repeated = judged.filter { !fresh.contains($0.id) }
            guard !repeated.isEmpty else { return judged.map { .success(.accepted($0.answer)) } }
            let stored = try await self.store.stored(repeated.map(\.receipt.fiscal), in: transaction)
            let contradictions = repeated.filter { stored[$0.receipt.fiscal]?.fingerprint != $0.fingerprint }
            if !contradictions.isEmpty { try await self.store.recordConflicts(contradictions, in: transaction) }
            return judged.map { receipt in
                if fresh.contains(receipt.id) { return .success(.accepted(receipt.answer)) }
                guard let stored = stored[receipt.receipt.fiscal], stored.fingerprint == receipt.fingerprint else {
                    return .failure(.fiscalConflict)
                }
                return .success(.repeated(stored.answer))
            }
        }
    }
}

extension PostReceipt {
    init(_ judged: JudgedReceipt) {
        self.init(
            receipt: judged.id, member: judged.member, fiscal: judged.receipt.fiscal, store: judged.receipt.sale.store,
            effectiveAt: judged.receipt.sale.at, total: judged.receipt.sale.total,
            accruals: judged.evaluation.accruals.map { Accrual($0) }, ruleset: judged.evaluation.ruleset)
    }
}

extension PostReceipt.Accrual {
    init(_ accrual: RuleAccrual) {
        let lotClass: LotClass =
            switch accrual.lotClass {
            case .regular: .regular
            case .promotional: .promotional
            }
        self.init(lotClass: lotClass, points: accrual.points, rule: accrual.rule)
    }
}

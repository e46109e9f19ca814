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
    private let payments = PaymentStore()
    private let gatherFacts = GatherFacts()
    private let giveExtras: GiveExtras

    init(
        database: Database, bus: Bus, judge: JudgeSales, months: Months, clock: any WallClock, ids: IDGenerator
    ) {
        (self.database, self.bus, self.judge, self.months) = (database, bus, judge, months)
        (self.clock, self.ids) = (clock, ids)
        self.giveExtras = GiveExtras(bus: bus, ids: ids)
    }

    /// One answer for each receipt, in their order. All are stored in one transaction, each refused alone.
    func callAsFunction(_ deliveries: [Delivery]) async throws -> [Result<Acceptance, ReceiptRefusal>] {
        let now = self.clock.now
        let judgements = try await self.judge(deliveries.map { ($0.receipt.sale, $0.till) }, at: now)
        let recalled = try await self.recall(deliveries, judgements)
        let isPaid = try await self.payments.check(
            zip(deliveries, judgements).map { ($0.receipt.authorisations, (try? $1.get())?.member) },
            in: self.database)
        var judged: [Judged] = []
        var outcomes: [Result<Acceptance, ReceiptRefusal>?] = []
        for (index, (delivery, judgement)) in zip(deliveries, judgements).enumerated() {
            switch judgement {
            case .success where !isPaid[index]: outcomes.append(.failure(.paymentMismatch))
            case .success(let judgement):
                let receipt = JudgedReceipt(
                    id: self.ids.next(), receipt: delivery.receipt, member: judgement.member,
                    evaluation: judgement.evaluation, facts: judgement.facts, fingerprint: delivery.receipt.fingerprint,
                    till: delivery.till.key, acceptedAt: now)
                judged.append(Judged(receipt: receipt, judgement: judgement))
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

    /// A receipt with what its judgement went by.
    private struct Judged: Sendable {
        let receipt: JudgedReceipt
        let judgement: JudgeSales.Judgement
    }

    private func store(_ judged: [Judged]) async throws -> [Result<Acceptance, ReceiptRefusal>] {
        guard !judged.isEmpty else { return [] }
        try await self.months.ensure(judged.map(\.receipt.receipt.sale.at))
        guard judged.contains(where: { $0.judgement.ruleset.ruleset.needs.contains(.counters) }) else {
            return try await self.alone(judged.count) {
                try await self.database.transaction { transaction in
                    try await self.store(judged.map(\.receipt), in: transaction)
                }
            }
        }
        // What limits and budgets leave is known under their locks only: one receipt after the other.
        var outcomes: [Result<Acceptance, ReceiptRefusal>] = []
        for judged in judged {
            outcomes += try await self.alone(1) { try await self.storeCounted(judged) }
        }
        return outcomes
    }

    /// A payment that another receipt has taken at this moment refuses a receipt that comes alone; of many each is then
    /// tried alone by whoever gathered them.
    private func alone(
        _ count: Int, _ body: () async throws -> [Result<Acceptance, ReceiptRefusal>]
    ) async throws -> [Result<Acceptance, ReceiptRefusal>] {
        do {
            return try await body()
        } catch is PaymentStore.Taken where count == 1 {
            return [.failure(.paymentMismatch)]
        }
    }

    private func storeCounted(_ judged: Judged) async throws -> [Result<Acceptance, ReceiptRefusal>] {
        let (sale, ruleset) = (judged.receipt.receipt.sale, judged.judgement.ruleset)
        return try await self.database.transaction { transaction in
            let (facts, slices) = try await self.gatherFacts.locked(
                judged.judgement.facts, of: sale, wanting: judged.receipt.evaluation.spent, for: ruleset.ruleset,
                at: judged.receipt.acceptedAt, in: transaction)
            var receipt = judged.receipt
            receipt.evaluation = try ruleset.evaluate(sale, for: facts, at: receipt.acceptedAt)
            receipt.facts = facts
            let outcomes = try await self.store([receipt], in: transaction)
            if case .success(.accepted) = outcomes[0] {
                try await self.gatherFacts.count(
                    receipt.evaluation, slices, of: sale, by: receipt.member, for: ruleset.ruleset, in: transaction)
            }
            return outcomes
        }
    }

    private func store(
        _ judged: [JudgedReceipt], in transaction: borrowing Transaction
    ) async throws -> [Result<Acceptance, ReceiptRefusal>] {
        let fresh = try await self.store.insert(judged, in: transaction)
        let new = judged.filter { fresh.contains($0.id) }
        if !new.isEmpty { try await self.bus.send(contentsOf: new.map { PostReceipt($0) }, in: transaction) }
        try await self.payments.insert(new, in: transaction)
        try await self.giveExtras(new, in: transaction)
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

extension PostReceipt {
    init(_ judged: JudgedReceipt) {
        self.init(
            receipt: judged.id, member: judged.member, fiscal: judged.receipt.fiscal, store: judged.receipt.sale.store,
            effectiveAt: judged.receipt.sale.at, total: judged.receipt.sale.total,
            accruals: judged.evaluation.accruals.map { Accrual($0, maturesAt: judged.receipt.maturesAt) },
            ruleset: judged.evaluation.ruleset)
    }
}

extension PostReceipt.Accrual {
    init(_ accrual: RuleAccrual, maturesAt: Timestamp?) {
        let lotClass: LotClass =
            switch accrual.lotClass {
            case .regular: .regular
            case .promotional: .promotional
            case .favourite: .favourite
            case .birthday: .birthday
            case .welcome: .welcome
            }
        self.init(lotClass: lotClass, points: accrual.points, rule: accrual.rule, maturesAt: maturesAt)
    }
}

import Kernel
import Postgres

/// Says what a ruleset would have cost: applies it to stored receipts in the order of their sale, with its limits and
/// budgets counted in memory. Writes nothing.
struct SimulateRuleset: Sendable {
    /// What came out.
    struct Outcome: Sendable {
        var receipts = 0
        /// What the receipts earned when they were accepted, and what they would have earned.
        var pointsThen: Int64 = 0
        var pointsNow: Int64 = 0
        var byRule: [String: RuleUse] = [:]
        var discounts: Int64 = 0
        var stickers: Int64 = 0
        var coupons = 0
        /// false when there were more receipts than one simulation looks at.
        var isComplete = true
    }

    private static let chunk = 500

    private let database: Database
    private let rulesets: Rulesets
    private let history = HistoryStore()
    private let gatherFacts = GatherFacts()

    init(database: Database, rulesets: Rulesets) {
        (self.database, self.rulesets) = (database, rulesets)
    }

    /// - Parameter most: how many receipts are looked at.
    func callAsFunction(_ number: Int64, over window: Window, most: Int) async throws -> Outcome {
        let version = try await self.rulesets.version(number)
        var counters = SimulatedCounters(version.ruleset)
        var outcome = Outcome()
        var last: HistoryStore.Position?
        while true {
            let page = try await self.history.page(
                of: window, after: last, limit: min(Self.chunk, most - outcome.receipts + 1), in: self.database)
            let facts = try await self.gatherFacts(
                page.map { .init(member: $0.member, sale: $0.sale) }, for: version.ruleset,
                at: window.to, in: self.database)
            for (past, facts) in zip(page, facts) {
                guard outcome.receipts < most else {
                    outcome.isComplete = false
                    return outcome
                }
                let known = counters.known(to: facts, at: past.sale.at)
                let evaluation = try version.evaluate(past.sale, for: known, at: past.sale.at)
                counters.count(evaluation, by: past.member, at: past.sale.at)
                outcome.add(evaluation, then: past.points)
            }
            guard let end = page.last, page.count > 0 else { return outcome }
            last = .init(soldAt: end.sale.at, receipt: end.receipt)
        }
    }
}

extension SimulateRuleset.Outcome {
    fileprivate mutating func add(_ evaluation: Evaluation, then points: Int64) {
        self.receipts += 1
        self.pointsThen += points
        self.pointsNow += evaluation.points.amount
        for accrual in evaluation.accruals {
            let before = self.byRule[accrual.rule] ?? RuleUse()
            self.byRule[accrual.rule] = RuleUse(
                points: before.points + accrual.points.amount, times: before.times + 1)
        }
        self.discounts += evaluation.lines.reduce(0) { $0 + ($1.discount?.amount ?? 0) }
        self.stickers += evaluation.stickers.reduce(0) { $0 + $1.count }
        self.coupons += evaluation.coupons.count
    }
}

/// Limits and budgets of a simulation.
private struct SimulatedCounters {
    private struct Key: Hashable {
        let member: Member.ID
        let period: RulePeriod
        let start: CivilDate
    }

    private let rules: [Rule]
    private var uses: [Key: RuleUse] = [:]
    private var budgets: [String: Int64]

    init(_ ruleset: Ruleset) {
        self.rules = ruleset.rules.filter(\.isCounted)
        self.budgets = Dictionary((ruleset.budgets ?? []).map { ($0.id, $0.points) }) { $1 }
    }

    func known(to facts: MemberFacts, at moment: Timestamp) -> MemberFacts {
        var facts = facts
        // Which campaigns there were then nobody knows any more: a simulation counts what would be given.
        (facts.used, facts.budgets, facts.couponsLeft) = ([:], self.budgets, nil)
        for rule in self.rules {
            for period in rule.countedPeriods {
                let name = RulePeriod(rule: rule.id, period: period)
                facts.used[name] = self.uses[Key(member: facts.member, period: name, start: period.start(of: moment))]
            }
        }
        return facts
    }

    mutating func count(_ evaluation: Evaluation, by member: Member.ID, at moment: Timestamp) {
        for rule in self.rules {
            guard let use = evaluation.uses[rule.id] else { continue }
            for period in rule.countedPeriods {
                let key = Key(
                    member: member, period: RulePeriod(rule: rule.id, period: period), start: period.start(of: moment))
                let before = self.uses[key] ?? RuleUse()
                self.uses[key] = RuleUse(points: before.points + use.points, times: before.times + use.times)
            }
        }
        for (budget, points) in evaluation.spent { self.budgets[budget, default: 0] -= points }
    }
}

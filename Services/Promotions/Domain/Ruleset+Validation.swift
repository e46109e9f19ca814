import Kernel

extension Ruleset {
    /// Why a ruleset may not be stored.
    enum Defect: Error, Hashable {
        case repeatedName(String)
        case emptyWindow(rule: String)
        /// More than a point per kopeck, or a rate of nothing: a slip of the pen, never a campaign.
        case rateOutOfRange(rule: String)
        case spendingOutOfRange
        /// A rule's group or budget that the ruleset does not have.
        case unknownName(String, rule: String)
        /// A limit, a budget or a number of a condition that cannot be meant.
        case numberOutOfRange(String)
        case tooManyRules

        /// Stable name in kebab case.
        var code: String {
            switch self {
            case .repeatedName: "repeated-name"
            case .emptyWindow: "empty-window"
            case .rateOutOfRange: "rate-out-of-range"
            case .spendingOutOfRange: "spending-out-of-range"
            case .unknownName: "unknown-name"
            case .numberOutOfRange: "number-out-of-range"
            case .tooManyRules: "too-many-rules"
            }
        }

        /// What is at fault: a rule, a name; empty for the whole.
        var subject: String {
            switch self {
            case .repeatedName(let name), .numberOutOfRange(let name): name
            case .emptyWindow(let rule), .rateOutOfRange(let rule), .unknownName(_, let rule): rule
            case .spendingOutOfRange, .tooManyRules: ""
            }
        }
    }

    /// More would make each receipt slow.
    static let rulesMax = 200
    /// A point for each kopeck of the greatest receipt: beyond that numbers are slips of the pen.
    private static let pointsMax: Int64 = 1_000_000_000_000

    /// Refuses a ruleset that cannot be meant: names must be unique and known, windows not empty, numbers within reason.
    func validate() throws(Defect) {
        guard self.rules.count + self.exclusions.count <= Self.rulesMax else { throw .tooManyRules }
        let (groups, budgets) = (self.groups ?? [], self.budgets ?? [])
        var names: Set<String> = [Exclusion.reward.id]
        for name in self.exclusions.map(\.id) + self.rules.map(\.id) + groups.map(\.id) + budgets.map(\.id) {
            guard !name.isEmpty, name.utf8.count <= 64, names.insert(name).inserted else { throw .repeatedName(name) }
        }
        for budget in budgets {
            guard 1...Self.pointsMax ~= budget.points, 1...64 ~= budget.slices else {
                throw .numberOutOfRange(budget.id)
            }
        }
        for rule in self.rules {
            if let group = rule.group, !groups.contains(where: { $0.id == group }) {
                throw .unknownName(group, rule: rule.id)
            }
            if let budget = rule.budget, !budgets.contains(where: { $0.id == budget }) {
                throw .unknownName(budget, rule: rule.id)
            }
            try rule.validate(pointsMax: Self.pointsMax)
        }
        guard (0...100).contains(self.spending.percentOfTotal), self.spending.kopecksPerPoint > 0 else {
            throw .spendingOutOfRange
        }
    }
}

extension Rule {
    fileprivate func validate(pointsMax: Int64) throws(Ruleset.Defect) {
        if let window = self.window, window.to <= window.from { throw .emptyWindow(rule: self.id) }
        let isWithinReason =
            switch self.effect {
            case .earnRate(let points, let kopecks): points > 0 && kopecks >= points && kopecks <= pointsMax
            case .earnMultiply(let percent): 101...10_000 ~= percent
            case .earnAdd(let points, _): 1...1_000_000 ~= points
            case .price(let kopecks): 0...ReceiptLimits.kopecksMax ~= kopecks
            case .stickers(let campaign, let count, let kopecks):
                !campaign.isEmpty && 1...1000 ~= count && 1...ReceiptLimits.kopecksMax ~= kopecks ?? 1
            case .coupon(let campaign): !campaign.isEmpty
            case .refuse(let russian, let english): !russian.isEmpty && !english.isEmpty
            }
        guard isWithinReason else { throw .rateOutOfRange(rule: self.id) }
        let limits = (self.limits?.member ?? []).flatMap { [$0.points, $0.times] } + [self.limits?.receiptPoints]
        guard limits.allSatisfy({ 0...pointsMax ~= $0 ?? 0 }) else { throw .numberOutOfRange(self.id) }
        for condition in self.when?.parts ?? [] where !condition.isWithinReason { throw .numberOutOfRange(self.id) }
    }
}

extension SaleCondition {
    fileprivate var isWithinReason: Bool {
        switch self {
        case .birthday(let days): 0...180 ~= days.before && 0...180 ~= days.after
        case .visit(let every): 1...1000 ~= every.every
        case .weekday(let days): days.allSatisfy { 1...7 ~= $0 }
        case .time(let time): 0...1440 ~= time.from && 0...1440 ~= time.to
        case .window(let window): window.from < window.to
        default: true
        }
    }
}

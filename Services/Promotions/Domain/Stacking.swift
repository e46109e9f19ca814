/// Which gifts are given when several rules would give something.
struct Stacking: Sendable {
    let groups: [RuleGroup]
    /// What a point is worth, for comparing points with discounts.
    let kopecksPerPoint: Int64

    /// The gifts that are given, in their order. `gifts` come in the order of their priority.
    func survivors(of gifts: [Gift]) -> [Gift] {
        // An exclusive group that gives something is alone; of two of them the one with the rule of the higher priority.
        for gift in gifts where gift.isAnything && self.mode(of: gift) == .exclusive { return [gift] }
        var chosen: [String: Int] = [:]
        for (index, gift) in gifts.enumerated() where gift.isAnything {
            guard let group = gift.rule.group else { continue }
            switch self.mode(of: gift) {
            case .sum: continue
            case .first, .exclusive: chosen[group] = chosen[group] ?? index
            case .best:
                guard let other = chosen[group] else {
                    chosen[group] = index
                    continue
                }
                // Equals are decided by priority, so that the answer is a function of its input.
                if self.worth(gifts[other]) < self.worth(gift) { chosen[group] = index }
            }
        }
        return gifts.enumerated().compactMap { index, gift in
            guard let group = gift.rule.group, self.mode(of: gift) != .sum else { return gift }
            return chosen[group] == index ? gift : nil
        }
    }

    private func worth(_ gift: Gift) -> (Int64, Int64) { gift.worth(kopecksPerPoint: self.kopecksPerPoint) }

    private func mode(of gift: Gift) -> RuleGroup.Mode {
        self.groups.first { $0.id == gift.rule.group }?.mode ?? .sum
    }
}

/// What limits and budgets leave of gifts, counted while they are given.
struct Allowance: Sendable {
    private var used: [RulePeriod: RuleUse]
    private var budgets: [String: Int64]
    private var coupons: [String: Int64]?
    private let declared: [Budget]
    /// What was taken out of each budget.
    private(set) var spent: [String: Int64] = [:]

    init(_ facts: MemberFacts, budgets: [Budget]) {
        (self.used, self.budgets, self.declared) = (facts.used, facts.budgets, budgets)
        self.coupons = facts.couponsLeft
    }

    /// The gift as far as it may be given. Nothing is counted yet.
    func limited(_ gift: Gift) -> Gift {
        var gift = gift
        let limits = gift.rule.limits
        if let most = limits?.receiptPoints { gift.points = min(gift.points, most) }
        for limit in limits?.member ?? [] {
            let before = self.used[RulePeriod(rule: gift.rule.id, period: limit.period)] ?? RuleUse()
            if let times = limit.times, before.times >= times { gift.giveNothing() }
            if let points = limit.points { gift.points = min(gift.points, max(0, points - before.points)) }
        }
        // What is sold out is not promised.
        if gift.isCoupon, let coupons = self.coupons, coupons[gift.campaign ?? "", default: 0] <= 0 {
            gift.isCoupon = false
        }
        guard let name = gift.rule.budget, let budget = self.declared.first(where: { $0.id == name }) else {
            return gift
        }
        let left = max(0, self.budgets[name] ?? 0)
        if gift.points > left { gift.points = budget.whenSpent == .cut ? left : 0 }
        return gift
    }

    /// Counts what is given.
    mutating func take(_ gift: Gift) {
        guard gift.isAnything else { return }
        for period in Rule.Period.allCases {
            let key = RulePeriod(rule: gift.rule.id, period: period)
            let before = self.used[key] ?? RuleUse()
            self.used[key] = RuleUse(points: before.points + gift.points, times: before.times + 1)
        }
        if gift.isCoupon, let campaign = gift.campaign { self.coupons?[campaign, default: 0] -= 1 }
        guard let budget = gift.rule.budget, gift.points > 0 else { return }
        self.budgets[budget, default: 0] -= gift.points
        self.spent[budget, default: 0] += gift.points
    }
}

extension Gift {
    fileprivate mutating func giveNothing() {
        (self.points, self.stickers, self.isCoupon, self.discounts) = (0, 0, false, self.discounts.map { _ in 0 })
    }
}

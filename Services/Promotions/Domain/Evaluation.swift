import Kernel

/// What a ruleset gives for a sale, line by line, with reasons.
struct Evaluation: Hashable, Sendable {
    /// The number of the ruleset that was applied.
    let ruleset: Int64
    /// The sum of the accruals, and of the lines.
    let points: Points
    let accruals: [RuleAccrual]
    let lines: [LineResult]
    var stickers: [StickerGift] = []
    var coupons: [CouponGift] = []
    /// What the counted rules gave.
    var uses: [String: RuleUse] = [:]
    /// What was taken out of the budgets.
    var spent: [String: Int64] = [:]
}

/// The points that one rule gives for a receipt.
struct RuleAccrual: Hashable, Sendable {
    let rule: String
    let lotClass: Rule.LotClass
    let points: Points
}

/// Stickers that one rule gives for a receipt.
struct StickerGift: Hashable, Sendable, Codable {
    let rule: String
    let campaign: String
    let count: Int64
}

/// A coupon that one rule gives for a receipt.
struct CouponGift: Hashable, Sendable, Codable {
    let rule: String
    let campaign: String
}

/// What one line brought, and why.
struct LineResult: Hashable, Sendable, Codable {
    let position: Int32
    let points: Points
    /// What the till is to take off the line; nil is nothing.
    var discount: Kopecks?
    let reasons: [Reason]

    struct Reason: Hashable, Sendable, Codable {
        enum Code: String, Hashable, Sendable, Codable {
            /// The rule counted the line; its share of the rule's points is in `points`.
            case earned
            /// An exclusion left the line out.
            case excluded
            /// A rule left the line out; `text` says why.
            case refused
            /// A limit or a budget has cut what the rule would have given.
            case limited
            /// The rule makes the line cheaper.
            case discounted
        }

        let code: Code
        /// The rule that paid, or the exclusion that left the line out.
        let rule: String
        var points: Points?
        /// In Russian.
        var text: String?
    }
}

/// A sum of points that does not fit. The edge bounds every amount, so this is a ruleset's or a caller's mistake.
struct PointsOverflow: Error {}

extension Ruleset.Version {
    /// Applies the ruleset: a pure function of its arguments, without input or output, in whole numbers only.
    ///
    /// A rule's points are rounded down once for the whole receipt and then allocated over the lines it counted by
    /// largest remainder, so that the lines sum to the total and partial returns can be judged line by line.
    ///
    /// - Parameters:
    ///   - member: what is known of the member who presented the card.
    ///   - now: when the receipt arrived, which may be weeks after its sale.
    func evaluate(
        _ sale: Sale, for member: MemberFacts, at now: Timestamp
    ) throws(PointsOverflow) -> Evaluation {
        var tally = Tally(sale)
        let exclusions = [Exclusion.reward] + self.ruleset.exclusions
        for exclusion in exclusions where exclusion.from.contains(.earning) {
            tally.exclude(.init(code: .excluded, rule: exclusion.id)) { exclusion.lines.holds(for: $0) }
        }
        let rules = self.ruleset.inOrder.filter { $0.applies(to: sale, of: member, at: now) }
        for rule in rules {
            guard case .refuse(let russian, _) = rule.effect else { continue }
            tally.exclude(.init(code: .refused, rule: rule.id, text: russian), onlyEligible: true) {
                rule.lines?.holds(for: $0, liking: member.favourites) ?? true
            }
        }
        var allowance = Allowance(member, budgets: self.ruleset.budgets ?? [])
        let gifts = try self.gifts(of: rules, for: sale, member, eligible: tally.eligible)
        let stacking = Stacking(
            groups: self.ruleset.groups ?? [], kopecksPerPoint: self.ruleset.spending.kopecksPerPoint)
        let survivors = Set(stacking.survivors(of: gifts.map { allowance.limited($0) }).map(\.rule.id))
        for gift in gifts where survivors.contains(gift.rule.id) {
            let given = allowance.limited(gift)
            allowance.take(given)
            try tally.give(given)
        }
        return tally.evaluation(by: self, spent: allowance.spent)
    }

    private func gifts(
        of rules: [Rule], for sale: Sale, _ member: MemberFacts, eligible: [Int]
    ) throws(PointsOverflow) -> [Gift] {
        func counted(_ rule: Rule) -> [Int] {
            eligible.filter { rule.lines?.holds(for: sale.lines[$0], liking: member.favourites) ?? true }
        }
        var rates = sale.lines.map { _ in Int64(0) }
        for rule in rules where rule.group == nil {
            guard case .earnRate = rule.effect else { continue }
            let gift = try rule.gift(for: sale, counting: counted(rule), rates: [])
            for (index, share) in zip(gift.counted, allocate(gift.points, over: gift.weights)) {
                rates[index] = try rates[index].plus(share)
            }
        }
        var gifts: [Gift] = []
        for rule in rules {
            if case .refuse = rule.effect { continue }
            gifts.append(try rule.gift(for: sale, counting: counted(rule), rates: rates))
        }
        return gifts
    }
}

extension Ruleset {
    /// Higher priorities first, equal ones in the order of the document.
    fileprivate var inOrder: [Rule] {
        self.rules.enumerated().sorted {
            ($1.element.priority ?? 0, $0.offset) < ($0.element.priority ?? 0, $1.offset)
        }.map(\.element)
    }
}

/// What is given for the lines of a sale, while it is gathered.
private struct Tally {
    private let sale: Sale
    private var reasons: [[LineResult.Reason]]
    private var points: [Int64]
    private var discounts: [Int64]
    private(set) var eligible: [Int]
    private var total: Int64 = 0
    private var gifts: [Gift] = []

    init(_ sale: Sale) {
        self.sale = sale
        self.reasons = sale.lines.map { _ in [] }
        self.points = sale.lines.map { _ in 0 }
        self.discounts = self.points
        self.eligible = Array(sale.lines.indices)
    }

    /// Leaves lines out for a reason.
    mutating func exclude(
        _ reason: LineResult.Reason, onlyEligible: Bool = false, where isExcluded: (ReceiptLine) -> Bool
    ) {
        let excluded = (onlyEligible ? self.eligible : Array(self.sale.lines.indices))
            .filter { isExcluded(self.sale.lines[$0]) }
        for index in excluded { self.reasons[index].append(reason) }
        let left = Set(excluded)
        self.eligible.removeAll(where: left.contains)
    }

    mutating func give(_ gift: Gift) throws(PointsOverflow) {
        self.gifts.append(gift)
        self.total = try self.total.plus(gift.points)
        guard Points(self.total) != nil else { throw PointsOverflow() }
        let earns = gift.rule.effect.isEarning
        for (index, share) in zip(gift.counted, allocate(gift.points, over: gift.weights)) {
            self.points[index] = try self.points[index].plus(share)
            if earns { self.reasons[index].append(.init(code: .earned, rule: gift.rule.id, points: Points(share))) }
            if gift.points < gift.wanted { self.reasons[index].append(.init(code: .limited, rule: gift.rule.id)) }
        }
        for (index, discount) in zip(gift.counted, gift.discounts) where discount > 0 {
            // Two prices for one line: the better one.
            self.discounts[index] = max(self.discounts[index], discount)
            self.reasons[index].append(.init(code: .discounted, rule: gift.rule.id))
        }
    }

    func evaluation(by version: Ruleset.Version, spent: [String: Int64]) -> Evaluation {
        let given = self.gifts.filter(\.isAnything)
        return Evaluation(
            ruleset: version.number, points: Points(self.total) ?? .zero,
            accruals: given.compactMap { gift in
                guard gift.points > 0, let points = Points(gift.points) else { return nil }
                return RuleAccrual(rule: gift.rule.id, lotClass: gift.rule.lotClass, points: points)
            },
            lines: self.sale.lines.indices.map { index in
                LineResult(
                    position: self.sale.lines[index].position, points: Points(self.points[index]) ?? .zero,
                    discount: self.discounts[index] > 0 ? Kopecks(self.discounts[index]) : nil,
                    reasons: self.reasons[index])
            },
            stickers: given.compactMap { gift in
                guard gift.stickers > 0, let campaign = gift.campaign else { return nil }
                return StickerGift(rule: gift.rule.id, campaign: campaign, count: gift.stickers)
            },
            coupons: given.compactMap { gift in
                guard gift.isCoupon, let campaign = gift.campaign else { return nil }
                return CouponGift(rule: gift.rule.id, campaign: campaign)
            },
            uses: Dictionary(
                given.filter(\.rule.isCounted).map { ($0.rule.id, RuleUse(points: $0.points, times: 1)) },
                uniquingKeysWith: { $1 }),
            spent: spent)
    }
}

extension Rule.Effect {
    fileprivate var isEarning: Bool {
        switch self {
        case .earnRate, .earnMultiply, .earnAdd: true
        case .price, .stickers, .coupon, .refuse: false
        }
    }
}

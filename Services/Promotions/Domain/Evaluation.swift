import Kernel

/// What a ruleset gives for a sale, line by line, with reasons.
struct Evaluation: Hashable, Sendable {
    /// The number of the ruleset that was applied.
    let ruleset: Int64
    /// The sum of the accruals, and of the lines.
    let points: Points
    let accruals: [RuleAccrual]
    let lines: [LineResult]
}

/// The points that one rule gives for a receipt.
struct RuleAccrual: Hashable, Sendable {
    let rule: String
    let lotClass: Rule.LotClass
    let points: Points
}

/// What one line brought, and why.
struct LineResult: Hashable, Sendable, Codable {
    let position: Int32
    let points: Points
    let reasons: [Reason]

    struct Reason: Hashable, Sendable, Codable {
        enum Code: String, Hashable, Sendable, Codable {
            /// The rule counted the line; its share of the rule's points is in `points`.
            case earned
            /// An exclusion left the line out.
            case excluded
        }

        let code: Code
        /// The rule that paid, or the exclusion that left the line out.
        let rule: String
        var points: Points?
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
        var reasons = sale.lines.map { self.ruleset.exclusionReasons(for: $0) }
        let eligible = sale.lines.indices.filter { reasons[$0].isEmpty }
        var points = sale.lines.map { _ in Points.zero }
        var accruals: [RuleAccrual] = []
        for rule in self.ruleset.rules where rule.applies(to: sale, at: now) {
            let counted = eligible.filter { rule.lines?.holds(for: sale.lines[$0]) ?? true }
            let weights = counted.map { sale.lines[$0].sum.amount }
            let earned = try rule.effect.points(for: weights)
            if earned > .zero { accruals.append(RuleAccrual(rule: rule.id, lotClass: rule.lotClass, points: earned)) }
            for (index, share) in zip(counted, allocate(earned.amount, over: weights)) {
                guard let share = Points(share), let sum = points[index].adding(share) else { throw PointsOverflow() }
                points[index] = sum
                reasons[index].append(.init(code: .earned, rule: rule.id, points: share))
            }
        }
        return Evaluation(
            ruleset: self.number,
            points: try accruals.map(\.points).sum(),
            accruals: accruals,
            lines: sale.lines.indices.map { index in
                LineResult(
                    position: sale.lines[index].position, points: points[index], reasons: reasons[index])
            })
    }
}

extension Ruleset {
    fileprivate func exclusionReasons(for line: ReceiptLine) -> [LineResult.Reason] {
        self.exclusions
            .filter { $0.from.contains(.earning) && $0.lines.holds(for: line) }
            .map { .init(code: .excluded, rule: $0.id) }
    }
}

extension Rule.Effect {
    fileprivate func points(for sums: [Int64]) throws(PointsOverflow) -> Points {
        switch self {
        case .earnRate(let points, let kopecks):
            var eligible: Int64 = 0
            for sum in sums {
                let (next, overflow) = eligible.addingReportingOverflow(sum)
                guard !overflow else { throw PointsOverflow() }
                eligible = next
            }
            // Never more than a point per kopeck (Ruleset.validate), so the quotient fits.
            guard points <= kopecks else { throw PointsOverflow() }
            let (quotient, _) = kopecks.dividingFullWidth(eligible.multipliedFullWidth(by: points))
            guard let earned = Points(quotient) else { throw PointsOverflow() }
            return earned
        }
    }
}

extension [Points] {
    fileprivate func sum() throws(PointsOverflow) -> Points {
        var sum = Points.zero
        for points in self {
            guard let next = sum.adding(points) else { throw PointsOverflow() }
            sum = next
        }
        return sum
    }
}

import Kernel

/// How much of a receipt may be paid with points.
struct SpendingPolicy: Hashable, Sendable, Codable {
    /// 0 to 100: the share of the receipt's total. A till must take at least one kopeck of money, hence 99.
    var percentOfTotal: Int64
    /// What a point is worth at the till.
    var kopecksPerPoint: Int64
}

extension Ruleset {
    /// What points are worth at the till.
    func worth(of points: Points) -> Kopecks {
        let (worth, overflow) = points.amount.multipliedReportingOverflow(by: self.spending.kopecksPerPoint)
        return overflow ? .zero : Kopecks(worth) ?? .zero
    }

    /// The most points that favourites bring in a month; nil unless each of their rules has such a limit.
    var favouritesCap: Points? {
        var cap: Int64 = 0
        for rule in self.rules where rule.lotClass == .favourite {
            let limits = (rule.limits?.member ?? []).filter { $0.period == .month }.compactMap(\.points)
            guard let least = limits.min() else { return nil }
            let (sum, overflow) = cap.addingReportingOverflow(least)
            guard !overflow else { return nil }
            cap = sum
        }
        return self.rules.contains { $0.lotClass == .favourite } ? Points(cap) : nil
    }

    /// The most points that may be paid for these lines: at most the policy's share of the total, and never more than
    /// the lines that are not excluded from spending are worth. Rounded down to whole points.
    func spendingLimit(for lines: [ReceiptLine], total: Kopecks) -> Points {
        let excluded = self.exclusions.filter { $0.from.contains(.spending) }
        var payable: Int64 = 0
        for line in lines where !excluded.contains(where: { $0.lines.holds(for: line) }) {
            let (next, overflow) = payable.addingReportingOverflow(line.sum.amount)
            payable = overflow ? total.amount : next
        }
        // At most 100 %, so the quotient is at most the total.
        let share = Int64(100).dividingFullWidth(total.amount.multipliedFullWidth(by: self.spending.percentOfTotal))
        return Points(min(share.quotient, payable) / self.spending.kopecksPerPoint) ?? .zero
    }
}

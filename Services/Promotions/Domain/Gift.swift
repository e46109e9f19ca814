import Kernel

/// What one rule would give for a receipt, before stacking and limits.
struct Gift: Hashable, Sendable {
    let rule: Rule
    /// The lines that count, by their place in the sale.
    let counted: [Int]
    /// What points are allocated over, line by line of `counted`.
    let weights: [Int64]
    /// Points before the limits; `points` is what is left of them.
    let wanted: Int64
    var points: Int64
    /// Kopecks off each of `counted`.
    var discounts: [Int64] = []
    var stickers: Int64 = 0
    var campaign: String?
    /// A coupon of `campaign`.
    var isCoupon = false

    var isAnything: Bool { self.points > 0 || self.stickers > 0 || self.isCoupon || self.discounts.contains { $0 > 0 } }

    /// What it is worth to the member in kopecks; stickers and coupons decide between what is worth the same.
    func worth(kopecksPerPoint: Int64) -> (kopecks: Int64, extras: Int64) {
        let (points, overflow) = self.points.multipliedReportingOverflow(by: kopecksPerPoint)
        let (kopecks, tooMuch) = points.addingReportingOverflow(self.discounts.reduce(0, +))
        return (overflow || tooMuch ? .max : kopecks, self.stickers + (self.isCoupon ? 1 : 0))
    }
}

extension Rule {
    /// What the rule gives for these lines. `rates` is what the rates without a group give for each line of the sale.
    func gift(for sale: Sale, counting counted: [Int], rates: [Int64]) throws(PointsOverflow) -> Gift {
        let sums = counted.map { sale.lines[$0].sum.amount }
        var sum: Int64 = 0
        for amount in sums { sum = try sum.plus(amount) }
        var gift = Gift(rule: self, counted: counted, weights: sums, wanted: 0, points: 0)
        switch self.effect {
        case .earnRate(let points, let kopecks):
            // Never more than a point per kopeck (Ruleset.validate), so the quotient fits.
            guard points <= kopecks else { throw PointsOverflow() }
            return gift.giving(kopecks.dividingFullWidth(sum.multipliedFullWidth(by: points)).quotient)
        case .earnMultiply(let percent):
            let base = counted.map { rates[$0] }
            var whole: Int64 = 0
            for share in base { whole = try whole.plus(share) }
            let (product, overflow) = whole.multipliedReportingOverflow(by: percent - 100)
            guard !overflow else { throw PointsOverflow() }
            gift = Gift(rule: self, counted: counted, weights: base, wanted: product / 100, points: product / 100)
        case .earnAdd(let points, let each):
            // Points stand on lines that were paid for: a return must find them there.
            guard sum > 0 else { return gift }
            let times = each == .receipt ? 1 : counted.reduce(0) { $0 + sale.lines[$1].quantity.thousandths / 1000 }
            let (product, overflow) = points.multipliedReportingOverflow(by: times)
            guard !overflow else { throw PointsOverflow() }
            return gift.giving(product)
        case .price(let kopecks):
            gift.discounts = counted.map { index in
                let line = sale.lines[index]
                let (cost, overflow) = kopecks.multipliedReportingOverflow(by: line.quantity.thousandths)
                return overflow ? 0 : max(0, line.sum.amount - cost / 1000)
            }
        case .stickers(let campaign, let count, let kopecks):
            let times =
                kopecks.map { sum / $0 } ?? counted.reduce(0) { $0 + sale.lines[$1].quantity.thousandths / 1000 }
            let (product, overflow) = count.multipliedReportingOverflow(by: times)
            gift.stickers = overflow ? 0 : product
            gift.campaign = campaign
        case .coupon(let campaign):
            gift.isCoupon = !counted.isEmpty
            gift.campaign = campaign
        case .refuse:
            break
        }
        return gift
    }
}

extension Gift {
    fileprivate func giving(_ points: Int64) -> Gift {
        Gift(rule: self.rule, counted: self.counted, weights: self.weights, wanted: points, points: points)
    }
}

extension Int64 {
    func plus(_ other: Int64) throws(PointsOverflow) -> Int64 {
        let (sum, overflow) = self.addingReportingOverflow(other)
        guard !overflow else { throw PointsOverflow() }
        return sum
    }
}

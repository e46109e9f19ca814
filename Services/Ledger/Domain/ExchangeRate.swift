internal import Kernel

/// What points are worth in money. Every number a member sees is shown in both.
struct ExchangeRate: Hashable, Sendable {
    /// How many points make a rouble, 1 to 100.
    let pointsPerRouble: Int64

    /// nil unless a point is worth a whole number of kopecks: the rate divides 100.
    init?(pointsPerRouble: Int64) {
        guard 1...100 ~= pointsPerRouble, 100 % pointsPerRouble == 0 else { return nil }
        self.pointsPerRouble = pointsPerRouble
    }

    private init(known pointsPerRouble: Int64) {
        self.pointsPerRouble = pointsPerRouble
    }

    /// The programme's own statement: 5000 points buy 500 roubles.
    static let programme = ExchangeRate(known: 10)

    /// The points' worth; the largest amount of money when it does not fit into 64 bits.
    func worth(_ points: Points) -> Kopecks {
        let (product, overflow) = points.amount.multipliedReportingOverflow(by: 100 / self.pointsPerRouble)
        return Kopecks(overflow ? .max : product) ?? .zero
    }
}

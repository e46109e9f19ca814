import Kernel

/// What a certificate is worth when it is new: whole roubles from 200 to 3000. The database says the same.
struct FaceValue: Hashable, Sendable {
    /// The worth in kopecks.
    let kopecks: Kopecks

    static let least: Int64 = 20_000
    static let most: Int64 = 300_000
    /// Kopecks that a point is worth.
    private static let kopecksPerPoint: Int64 = 10

    /// nil for what no certificate has.
    init?(_ kopecks: Kopecks) {
        guard Self.least...Self.most ~= kopecks.amount, kopecks.amount.isMultiple(of: 100) else { return nil }
        self.kopecks = kopecks
    }

    /// What it costs in points, ten a rouble.
    var points: Points { Points(self.kopecks.amount / Self.kopecksPerPoint) ?? .zero }

    /// `1500`, for people.
    var roubles: Int64 { self.kopecks.amount / 100 }
}

/// How much one member may give away in a day of Moscow's calendar. The database says the same.
enum DayLimit {
    static let certificates: Int32 = 5
    static let kopecks: Int64 = 1_000_000
}

/// A whole number of something that is never below zero and whose arithmetic admits failure.
///
/// In JSON a plain integer.
public protocol Amount: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    /// How many.
    var amount: Int64 { get }
    /// nil when `amount` is below zero.
    init?(_ amount: Int64)
}

extension Amount {
    /// The sum; nil when it does not fit into 64 bits.
    public func adding(_ other: Self) -> Self? {
        let (sum, overflow) = self.amount.addingReportingOverflow(other.amount)
        return overflow ? nil : Self(sum)
    }

    /// The difference; nil when it would be below zero.
    public func subtracting(_ other: Self) -> Self? {
        // Both are at or above zero, so the difference of the plain numbers cannot overflow.
        Self(self.amount - other.amount)
    }

    /// Orders by the number.
    public static func < (left: Self, right: Self) -> Bool {
        left.amount < right.amount
    }

    /// The number in decimal digits.
    public var description: String {
        String(self.amount)
    }

    /// Reads a JSON integer; refuses one below zero.
    public init(from decoder: any Decoder) throws {
        self = try decoder.singleValue(as: Int64.self, "an amount is a whole number from 0") { Self($0) }
    }

    /// Writes a JSON integer.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.amount)
    }
}

/// Points of the programme; 10 points are worth 1 rouble.
public struct Points: Amount {
    /// The number of points, from 0.
    public let amount: Int64

    /// nil when `amount` is below zero.
    public init?(_ amount: Int64) {
        guard amount >= 0 else { return nil }
        self.amount = amount
    }

    private init(known amount: Int64) {
        self.amount = amount
    }

    /// No points.
    public static let zero = Points(known: 0)
}

/// Money in kopecks, a hundredth of a rouble.
public struct Kopecks: Amount {
    /// The number of kopecks, from 0.
    public let amount: Int64

    /// nil when `amount` is below zero.
    public init?(_ amount: Int64) {
        guard amount >= 0 else { return nil }
        self.amount = amount
    }

    private init(known amount: Int64) {
        self.amount = amount
    }

    /// No money.
    public static let zero = Kopecks(known: 0)
}

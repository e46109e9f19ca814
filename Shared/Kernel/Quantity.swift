/// How much of a product: pieces, kilograms or litres, counted in thousandths. In JSON the integer of thousandths.
public struct Quantity: Hashable, Comparable, Sendable, Codable {
    /// Thousandths of the product's unit, from 0.
    public let thousandths: Int64

    /// nil when `thousandths` is below zero.
    public init?(thousandths: Int64) {
        guard thousandths >= 0 else { return nil }
        self.thousandths = thousandths
    }

    /// Orders by the number.
    public static func < (left: Self, right: Self) -> Bool {
        left.thousandths < right.thousandths
    }

    /// Reads a JSON integer; refuses one below zero.
    public init(from decoder: any Decoder) throws {
        self = try decoder.singleValue(as: Int64.self, "a quantity is a whole number of thousandths from 0") {
            Self(thousandths: $0)
        }
    }

    /// Writes a JSON integer.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.thousandths)
    }
}

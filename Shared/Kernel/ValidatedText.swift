/// A short text of which only some values are allowed. In JSON a string.
public protocol ValidatedText: Hashable, Comparable, Sendable, Codable, LosslessStringConvertible {
    /// The text itself.
    var text: String { get }
    /// What an allowed text looks like, for error messages.
    static var requirement: String { get }
}

extension ValidatedText {
    /// The text itself.
    public var description: String { self.text }

    /// Orders by the bytes.
    public static func < (left: Self, right: Self) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }

    /// Reads a JSON string; refuses what is not allowed.
    public init(from decoder: any Decoder) throws {
        self = try decoder.singleValue(as: String.self, Self.requirement) { Self($0) }
    }

    /// Writes a JSON string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.text)
    }
}

extension UInt8 {
    var isLowerCaseLetter: Bool { 0x61...0x7A ~= self }
    var isLetter: Bool { self.isLowerCaseLetter || 0x41...0x5A ~= self }
    var isDigit: Bool { 0x30...0x39 ~= self }
    var isUnderscore: Bool { self == 0x5F }
    var isHyphen: Bool { self == 0x2D }
}

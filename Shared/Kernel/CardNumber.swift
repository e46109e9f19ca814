/// A loyalty card's number: 16 digits, the last a check digit (ISO/IEC 7812-1, annex B, "Luhn"). In JSON a string.
public struct CardNumber: Masked, Hashable, Sendable {
    /// All sixteen digits. Personal data: never for logs.
    public let digits: String

    /// nil unless there are 16 ASCII digits of which the last is the right check digit.
    public init?(_ digits: String) {
        guard digits.utf8.count == 16, let payload = Self.values(digits.utf8.dropLast()),
            let last = digits.utf8.last, last == UInt8(ascii: "0") + Self.checkDigit(payload)
        else { return nil }
        self.digits = digits
    }

    /// A new number: the issuer's 7, fourteen random digits, the check digit. Whether it is free the caller finds out.
    public static func make(random: RandomBytes) -> CardNumber {
        // The remainder favours small payloads by less than one in 100,000: nothing to gain from for a guesser.
        var number = random.nextUInt64() % 100_000_000_000_000
        var payload = [UInt8](repeating: 7, count: 15)
        for index in payload.indices.dropFirst().reversed() {
            payload[index] = UInt8(number % 10)
            number /= 10
        }
        let digits = (payload + [Self.checkDigit(payload)]).map { $0 + UInt8(ascii: "0") }
        return CardNumber(known: String(decoding: digits, as: UTF8.self))
    }

    /// The digit (0…9) that makes `payload` valid when it is appended; nil when `payload` is not all digits.
    public static func checkDigit(of payload: String) -> UInt8? {
        Self.values(payload.utf8[...]).map(Self.checkDigit)
    }

    private init(known digits: String) {
        self.digits = digits
    }

    private static func values(_ text: Substring.UTF8View) -> [UInt8]? {
        guard text.allSatisfy(\.isDigit) else { return nil }
        return text.map { $0 - UInt8(ascii: "0") }
    }

    /// Every second digit from the right is doubled and its digits added up; the sum is filled to a multiple of ten.
    private static func checkDigit(_ payload: [UInt8]) -> UInt8 {
        let sum = payload.reversed().enumerated().reduce(0) { sum, item in
            let value = Int(item.element) * (item.offset.isMultiple(of: 2) ? 2 : 1)
            return sum + value / 10 + value % 10
        }
        return UInt8((10 - sum % 10) % 10)
    }

    /// `•••• 1234`.
    public var description: String { "•••• " + self.digits.suffix(4) }
}

extension CardNumber: Codable {
    /// Reads a JSON string.
    public init(from decoder: any Decoder) throws {
        self = try decoder.singleValue(as: String.self, "a card is 16 digits with a check digit") { Self($0) }
    }

    /// Writes a JSON string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.digits)
    }
}

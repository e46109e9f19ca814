/// A Russian mobile number. In JSON a string of E.164.
public struct PhoneNumber: Masked, Hashable, Sendable {
    /// `+79161234567`. Personal data: for the database and for the SMS gateway, never for logs.
    public let e164: String

    /// Why a text is no number that the programme takes.
    public enum Invalid: Error, Equatable {
        /// Other characters than digits, spaces, hyphens, dots, parentheses and a leading plus.
        case characters
        /// Not ten digits after the country code.
        case length
        /// Not `+7 9…`: another country (also +77…, which is Kazakhstan) or a land line.
        case range
    }

    /// Reads the ways people write a mobile number: `+7 916 123-45-67`, `8 (916) 123-45-67`, `9161234567`.
    /// - Throws: why it is none.
    public init(parsing text: String) throws(Invalid) {
        var digits: [UInt8] = []
        for (index, scalar) in text.unicodeScalars.enumerated() {
            switch scalar {
            case "0"..."9": digits.append(UInt8(scalar.value))
            case "+" where index == 0: break
            case " ", "\u{A0}", "-", "\u{2011}", "(", ")", ".": break
            default: throw .characters
            }
            guard digits.count <= 15 else { throw .length }
        }
        let national: ArraySlice<UInt8>
        switch (text.hasPrefix("+"), digits.count, digits.first) {
        case (_, 11, UInt8(ascii: "7")), (false, 11, UInt8(ascii: "8")): national = digits.dropFirst()
        case (false, 10, _): national = digits[...]
        case (true, 8...15, _) where digits.first != UInt8(ascii: "7"), (_, 11, _): throw .range
        default: throw .length
        }
        guard national.first == UInt8(ascii: "9") else { throw .range }
        self.e164 = "+7" + String(decoding: national, as: UTF8.self)
    }

    /// `+7 *** ***-**-67`.
    public var description: String { "+7 *** ***-**-" + self.e164.suffix(2) }
}

extension PhoneNumber: Codable {
    /// Reads a JSON string in any of the forms that people write.
    public init(from decoder: any Decoder) throws {
        self = try decoder.singleValue(as: String.self, "a phone is a Russian mobile number, +7 9…") {
            try? Self(parsing: $0)
        }
    }

    /// Writes a JSON string of E.164.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.e164)
    }
}

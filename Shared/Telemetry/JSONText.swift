/// Writes JSON by hand: a log line is made thousands of times a second and needs no encoder's detours.
struct JSONText {
    private(set) var bytes: [UInt8] = []

    init(reserving count: Int = 256) {
        self.bytes.reserveCapacity(count)
    }

    /// Punctuation and digits that need no escaping.
    mutating func raw(_ text: StaticString) {
        text.withUTF8Buffer { self.bytes.append(contentsOf: $0) }
    }

    /// A name of a member with its colon, behind a comma unless it is the first.
    mutating func key(_ name: String) {
        if let last = self.bytes.last, last != UInt8(ascii: "{") { self.bytes.append(UInt8(ascii: ",")) }
        self.string(name)
        self.bytes.append(UInt8(ascii: ":"))
    }

    /// A string in quotes. Control characters become escapes, so that a value can never begin a new line of the log.
    mutating func string(_ text: String) {
        self.bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): self.raw(#"\""#)
            case UInt8(ascii: "\\"): self.raw(#"\\"#)
            case UInt8(ascii: "\n"): self.raw(#"\n"#)
            case UInt8(ascii: "\r"): self.raw(#"\r"#)
            case UInt8(ascii: "\t"): self.raw(#"\t"#)
            case 0..<0x20, 0x7F:
                self.raw(#"\u00"#)
                self.bytes.append(Self.digits[Int(byte >> 4)])
                self.bytes.append(Self.digits[Int(byte & 15)])
            default: self.bytes.append(byte)
            }
        }
        self.bytes.append(UInt8(ascii: "\""))
    }

    /// A whole number.
    mutating func number(_ value: Int) {
        self.bytes.append(contentsOf: String(value).utf8)
    }

    /// A line feed: the end of the line.
    mutating func endLine() {
        self.bytes.append(UInt8(ascii: "\n"))
    }

    private static let digits = Array("0123456789abcdef".utf8)
}

/// What Kannel's delivery reports say (`dlr-mask` in its user's guide).
enum KannelReport {
    /// The state that a report means; nil for a number that is none of Kannel's.
    static func state(_ status: Int) -> DeliveryState? {
        switch status {
        case 1: .delivered
        case 2, 16: .failed
        case 4, 8: .accepted
        default: nil
        }
    }
}

/// The text of a message from a phone as Kannel's escapes `%b` and `%c` write it: bytes percent-encoded, and their coding.
enum KannelText {
    /// - Parameters:
    ///   - raw: the parameter as it stands in the address.
    ///   - coding: 2 for UTF-16 in network order, anything else for UTF-8.
    /// - Returns: nil for what is not percent-encoded.
    static func decode(_ raw: Substring, coding: Int) -> String? {
        var bytes: [UInt8] = []
        var rest = raw.utf8[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst().flatMap(Self.digit), let low = rest.popFirst().flatMap(Self.digit)
                else { return nil }
                bytes.append(high << 4 | low)
            default: bytes.append(byte)
            }
        }
        guard coding == 2 else { return String(decoding: bytes, as: UTF8.self) }
        let units = stride(from: 0, to: bytes.count - 1, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
        return String(decoding: units, as: UTF16.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}

extension Timestamp: LosslessStringConvertible {
    private static let microsecondsPerDay: Int64 = 86_400_000_000

    /// ISO 8601 in UTC: `2026-11-23T10:00:00Z`, and with six digits of fraction when there is one.
    /// Years outside 0…9999 have a sign and six digits.
    public var description: String {
        let (days, rest) = self.microseconds.floorDivided(by: Self.microsecondsPerDay)
        let date = CivilDate(daysSince1970: days)
        let (seconds, fraction) = rest.quotientAndRemainder(dividingBy: 1_000_000)
        var text = 0...9999 ~= date.year ? "" : (date.year < 0 ? "-" : "+")
        text.appendPadded(abs(date.year), width: text.isEmpty ? 4 : 6)
        text += "-"
        text.appendPadded(date.month, width: 2)
        text += "-"
        text.appendPadded(date.day, width: 2)
        text += "T"
        text.appendPadded(seconds / 3600, width: 2)
        text += ":"
        text.appendPadded(seconds / 60 % 60, width: 2)
        text += ":"
        text.appendPadded(seconds % 60, width: 2)
        if fraction != 0 {
            text += "."
            text.appendPadded(fraction, width: 6)
        }
        return text + "Z"
    }

    /// Reads ISO 8601 with date, `T`, time and zone (`Z` or `±HH:MM`): seconds are required, a fraction is not.
    /// Digits of the fraction after the sixth are dropped. A leap second (`:60`) is refused. nil for anything else.
    public init?(_ description: String) {
        var scanner = ByteScanner(description)
        guard let date = scanner.date(), scanner.take("T") || scanner.take("t"),
            let hour = scanner.number(digits: 2, 0...23), scanner.take(":"),
            let minute = scanner.number(digits: 2, 0...59), scanner.take(":"),
            let second = scanner.number(digits: 2, 0...59), let fraction = scanner.fraction(),
            let offset = scanner.offsetSeconds(), scanner.isAtEnd
        else { return nil }
        let seconds = date.daysSince1970 * 86_400 + hour * 3600 + minute * 60 + second - offset
        // Negative whole seconds are taken one up, so that the earliest moment does not overflow on the way to it.
        let (carried, part) = seconds < 0 ? (seconds + 1, fraction - 1_000_000) : (seconds, fraction)
        let (whole, tooLarge) = carried.multipliedReportingOverflow(by: 1_000_000)
        let (sum, tooFar) = whole.addingReportingOverflow(part)
        guard !tooLarge, !tooFar else { return nil }
        self.init(microseconds: sum)
    }
}

extension String {
    fileprivate mutating func appendPadded(_ number: Int64, width: Int) {
        let digits = String(number)
        self += String(repeating: "0", count: max(0, width - digits.utf8.count))
        self += digits
    }
}

/// Walks over ASCII text from left to right. Each method either takes what it names or gives nil.
private struct ByteScanner {
    private var rest: Substring.UTF8View

    init(_ text: String) {
        self.rest = text[...].utf8
    }

    var isAtEnd: Bool { self.rest.isEmpty }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard let first = self.rest.first, UInt32(first) == character.value else { return false }
        self.rest.removeFirst()
        return true
    }

    private mutating func digit() -> Int64? {
        guard let byte = self.rest.first, 0x30...0x39 ~= byte else { return nil }
        self.rest.removeFirst()
        return Int64(byte - 0x30)
    }

    mutating func number(digits: Int, _ range: ClosedRange<Int64>) -> Int64? {
        var number: Int64 = 0
        for _ in 0..<digits {
            guard let digit = self.digit() else { return nil }
            number = number * 10 + digit
        }
        return range ~= number ? number : nil
    }

    mutating func date() -> CivilDate? {
        guard let year = self.year(), self.take("-"),
            let month = self.number(digits: 2, 1...12), self.take("-"),
            let day = self.number(digits: 2, 1...31)
        else { return nil }
        return CivilDate(year: year, month: month, day: day)
    }

    private mutating func year() -> Int64? {
        if self.take("+") { return self.number(digits: 6, 0...999_999) }
        if self.take("-") { return self.number(digits: 6, 0...999_999).map { -$0 } }
        return self.number(digits: 4, 0...9999)
    }

    /// Microseconds; 0 when there is no fraction, nil when there is a point without digits.
    mutating func fraction() -> Int64? {
        guard self.take(".") || self.take(",") else { return 0 }
        guard var fraction = self.digit() else { return nil }
        var scale = 100_000
        fraction *= Int64(scale)
        while let digit = self.digit() {
            scale /= 10
            fraction += digit * Int64(scale)
        }
        return fraction
    }

    mutating func offsetSeconds() -> Int64? {
        if self.take("Z") || self.take("z") { return 0 }
        let sign: Int64
        if self.take("+") { sign = 1 } else if self.take("-") { sign = -1 } else { return nil }
        guard let hours = self.number(digits: 2, 0...23), self.take(":"),
            let minutes = self.number(digits: 2, 0...59)
        else { return nil }
        return sign * (hours * 3600 + minutes * 60)
    }
}

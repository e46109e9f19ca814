/// Decimal numbers as exports write them ("1.61", "10", "1.776357e-15"), read without floating point.
enum DecimalText {
    /// The number in hundredths, rounded half away from zero: dollars become cents.
    ///
    /// Exports made with binary floating point contain residues such as `1.776357e-15`, so an exponent is read too.
    /// - Returns: nil when the text is no decimal number or the result does not fit.
    static func hundredths(_ text: some Collection<UInt8>) -> Int64? {
        var scanner = Scanner(text)
        guard let number = scanner.number() else { return nil }
        let shift = number.exponent + 2
        guard let magnitude = Self.shifted(number.digits, by: shift) else { return nil }
        return number.isNegative ? -magnitude : magnitude
    }

    /// A whole number without sign.
    /// - Returns: nil when anything but digits is there, or it does not fit.
    static func whole(_ text: some Collection<UInt8>) -> Int64? {
        guard !text.isEmpty else { return nil }
        var value: Int64 = 0
        for byte in text {
            guard let digit = Scanner<[UInt8]>.digit(byte) else { return nil }
            let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tens.addingReportingOverflow(digit)
            guard !overflow, !carry else { return nil }
            value = sum
        }
        return value
    }

    /// `value × 10^places`, rounded half up where places are lost.
    private static func shifted(_ value: Int64, by places: Int) -> Int64? {
        // Zero has no magnitude to shift, whatever its exponent; 10^19 exceeds every Int64, so what is divided by
        // that much is below a half.
        if value == 0 || places < -18 { return 0 }
        guard places <= 18 else { return nil }
        var power: Int64 = 1
        for _ in 0..<abs(places) { power *= 10 }
        if places >= 0 {
            let (product, overflow) = value.multipliedReportingOverflow(by: power)
            return overflow ? nil : product
        }
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: power)
        return remainder >= power - remainder ? quotient + 1 : quotient
    }
}

extension DecimalText {
    /// Reads a number from its bytes.
    private struct Scanner<Bytes: Collection<UInt8>> {
        /// `digits × 10^exponent`.
        struct Number {
            var isNegative = false
            var digits: Int64 = 0
            var exponent = 0
        }

        private var rest: Bytes.SubSequence

        init(_ bytes: Bytes) { self.rest = bytes[...] }

        static func digit(_ byte: UInt8) -> Int64? {
            let value = Int64(byte) - Int64(UInt8(ascii: "0"))
            return (0...9).contains(value) ? value : nil
        }

        mutating func number() -> Number? {
            var number = Number(isNegative: self.take("-"))
            let whole = self.digits(into: &number)
            var fraction = 0
            if self.take(".") {
                fraction = self.digits(into: &number)
                number.exponent -= fraction
            }
            guard whole + fraction > 0, number.digits >= 0 else { return nil }
            if self.take("e") || self.take("E") {
                guard let power = self.power() else { return nil }
                number.exponent += power
            }
            return self.rest.isEmpty ? number : nil
        }

        private mutating func take(_ character: Unicode.Scalar) -> Bool {
            guard self.rest.first == UInt8(ascii: character) else { return false }
            self.rest = self.rest.dropFirst()
            return true
        }

        /// Appends the digits at hand to the number and says how many there were; what does not fit makes it negative.
        private mutating func digits(into number: inout Number) -> Int {
            var count = 0
            while let byte = self.rest.first, let digit = Self.digit(byte) {
                self.rest = self.rest.dropFirst()
                count += 1
                guard number.digits >= 0 else { continue }
                let (tens, overflow) = number.digits.multipliedReportingOverflow(by: 10)
                let (sum, carry) = tens.addingReportingOverflow(digit)
                number.digits = overflow || carry ? -1 : sum
            }
            return count
        }

        private mutating func power() -> Int? {
            let isNegative = self.take("-")
            if !isNegative { _ = self.take("+") }
            var power = Number()
            let count = self.digits(into: &power)
            guard (1...4).contains(count) else { return nil }
            return isNegative ? -Int(power.digits) : Int(power.digits)
        }
    }
}

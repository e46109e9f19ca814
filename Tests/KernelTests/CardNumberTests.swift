import FoundationEssentials
import Kernel
import TestSupport
import Testing

@Suite struct CardNumberTests {
    /// The first is the example of ISO/IEC 7812-1's annex as everybody quotes it, the others are schemes' test numbers.
    @Test(
        arguments: [
            ("7992739871", 3), ("411111111111111", 1), ("555555555555444", 4), ("424242424242424", 2),
            ("37828224631000", 5), ("0", 0), ("", 0), ("1", 8),
        ] as [(String, UInt8)])
    func `the check digit is Luhn's`(payload: String, digit: UInt8) {
        #expect(CardNumber.checkDigit(of: payload) == digit)
    }

    @Test(arguments: ["41a1", "4 1", "-1", "４１"])
    func `what is not all digits has no check digit`(payload: String) {
        #expect(CardNumber.checkDigit(of: payload) == nil)
    }

    @Test(arguments: ["4111111111111111", "5555555555554444", "4242424242424242", "0000000000000000"])
    func `sixteen digits with the right check digit are a card number`(digits: String) {
        #expect(CardNumber(digits)?.digits == digits)
    }

    @Test(arguments: [
        "4111111111111112", "411111111111111", "41111111111111111", "", "4111 1111 1111 1111", "4111111111111l11",
        "４１１１１１１１１１１１１１１１",
    ])
    func `everything else is none`(digits: String) {
        #expect(CardNumber(digits) == nil)
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode([CardNumber].self, from: JSONEncoder().encode([digits]))
        }
    }

    @Test func `every single wrong digit and nearly every swap of neighbours is noticed`() throws {
        let digits = Array("7000123412341230".utf8.dropLast())
        let check = try #require(CardNumber.checkDigit(of: String(decoding: digits, as: UTF8.self)))
        let valid = digits + [check + UInt8(ascii: "0")]
        for position in valid.indices {
            for digit in UInt8(ascii: "0")...UInt8(ascii: "9") where digit != valid[position] {
                var wrong = valid
                wrong[position] = digit
                #expect(CardNumber(String(decoding: wrong, as: UTF8.self)) == nil)
            }
        }
        for position in valid.indices.dropLast() where valid[position] != valid[position + 1] {
            var swapped = valid
            swapped.swapAt(position, position + 1)
            // Luhn cannot tell 09 from 90.
            guard Set([swapped[position], swapped[position + 1]]) != Set("09".utf8) else { continue }
            #expect(CardNumber(String(decoding: swapped, as: UTF8.self)) == nil)
        }
    }

    @Test func `a new number is valid, begins with 7 and comes from the random source`() {
        let random = RandomBytes.seeded(1)
        let numbers = (0..<200).map { _ in CardNumber.make(random: random) }
        for number in numbers {
            #expect(CardNumber(number.digits) == number)
            #expect(number.digits.hasPrefix("7"))
        }
        #expect(Set(numbers).count == numbers.count)
        #expect(CardNumber.make(random: .seeded(1)) == numbers.first)
    }

    @Test func `a small random number is filled with zeros`() {
        let zeros = RandomBytes { [UInt8](repeating: 0, count: $0) }
        #expect(CardNumber.make(random: zeros).digits == "7000000000000005")
    }

    @Test func `a card is a string in JSON`() throws {
        let card = try #require(CardNumber("4111111111111111"))
        let json = try JSONEncoder().encode([card])
        #expect(String(decoding: json, as: UTF8.self) == #"["4111111111111111"]"#)
        #expect(try JSONDecoder().decode([CardNumber].self, from: json) == [card])
    }
}

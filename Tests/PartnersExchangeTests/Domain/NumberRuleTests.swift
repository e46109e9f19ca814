import Testing

@testable import PartnersExchange

@Suite struct NumberRuleTests {
    private let s7 = NumberRule(digits: [9, 9], checksum: .luhn, prefixes: [])
    private let letual = NumberRule(digits: [13, 13], checksum: .ean, prefixes: ["29"])
    private let tehnosila = NumberRule(digits: [10, 12], checksum: .mod97, prefixes: [])

    @Test func `right numbers are taken, with blanks and hyphens as people write them`() throws {
        #expect(try self.s7.parse("123 456-782") == "123456782")
        #expect(try self.letual.parse("2912345678906") == "2912345678906")
        #expect(try self.tehnosila.parse("1234567889") == "1234567889")
    }

    @Test func `any one wrong digit is noticed`() throws {
        for (rule, right) in [(self.s7, "123456782"), (self.letual, "2912345678906"), (self.tehnosila, "1234567889")] {
            let digits = Array(right)
            for position in digits.indices {
                for digit in "0123456789" where digit != digits[position] {
                    var wrong = digits
                    wrong[position] = digit
                    #expect(throws: NumberRule.Flaw.self) { try rule.parse(String(wrong)) }
                }
            }
        }
    }

    @Test func `what is wrong is said`() {
        #expect(throws: NumberRule.Flaw.length) { try self.s7.parse("12345678") }
        #expect(throws: NumberRule.Flaw.prefix) { try self.letual.parse("4912345678900") }
        #expect(throws: NumberRule.Flaw.checksum) { try self.s7.parse("123456789") }
        for text in ["12345678a", "１２３４５６７８２", "123456782'; --", String(repeating: " ", count: 100)] {
            #expect(throws: NumberRule.Flaw.characters) { try self.s7.parse(text) }
        }
    }
}

import Testing

@testable import Club

@Suite struct DecimalTextTests {
    @Test(
        arguments: [
            ("1.61", 161), ("10", 1000), ("0.19", 19), ("3.5", 350), ("-2.25", -225), ("0", 0), ("0.00", 0), (".5", 50),
            ("1.005", 101), ("1.0049999999", 100), ("0.995", 100), ("-0.005", -1), ("1.776357e-15", 0), ("4.44e-16", 0),
            ("2.5e2", 25_000), ("1E+3", 100_000), ("92233720368547758.07", Int64.max), ("0e9999", 0),
        ] as [(String, Int64)])
    func `hundredths are rounded half away from zero, without floating point`(text: String, expected: Int64) {
        #expect(DecimalText.hundredths(Array(text.utf8)) == expected)
    }

    @Test(arguments: [
        "", ".", "-", "1,5", "1.2.3", "e5", "1e", "1e99999", "1e30", "12345678901234567890", "92233720368547758.08",
        " 1", "١",
    ])
    func `what is no decimal number or does not fit has no hundredths`(text: String) {
        #expect(DecimalText.hundredths(Array(text.utf8)) == nil)
    }

    @Test(arguments: ["", "-1", "1.0", "9223372036854775808", "x"])
    func `a whole number is digits that fit`(text: String) {
        #expect(DecimalText.whole(text.utf8) == nil)
        #expect(DecimalText.whole("9223372036854775807".utf8) == Int64.max)
    }
}

import FoundationEssentials
import Kernel
import Testing

@Suite struct PhoneNumberTests {
    @Test(arguments: [
        "+79161234567", "+7 916 123-45-67", "8 (916) 123-45-67", "89161234567", "7 916 1234567", "9161234567",
        "+7\u{A0}916\u{A0}123\u{2011}45\u{2011}67", "8.916.123.45.67",
    ])
    func `a Russian mobile number is understood however it is written`(text: String) throws {
        #expect(try PhoneNumber(parsing: text).e164 == "+79161234567")
    }

    @Test(
        arguments: [
            ("", .length), ("+", .length), ("+7916123456", .length), ("+791612345678", .length),
            ("916123456", .length), ("12345678901234567890", .length),
            ("+7916123456a", .characters), ("７９１６１２３４５６７", .characters), ("7+9161234567", .characters),
            ("+7 916 123-45-67 доб. 1", .characters), ("+7916\n1234567", .characters),
            ("+77011234567", .range), ("+74951234567", .range), ("84951234567", .range), ("4951234567", .range),
            ("+442071234567", .range), ("+380501234567", .range), ("+89161234567", .range), ("+9161234567", .range),
        ] as [(String, PhoneNumber.Invalid)])
    func `what is no Russian mobile number is refused with the reason`(text: String, reason: PhoneNumber.Invalid) {
        #expect(throws: reason) { try PhoneNumber(parsing: text) }
    }

    @Test func `a phone is a string of E.164 in JSON`() throws {
        let phone = try PhoneNumber(parsing: "8 916 123 45 67")
        let json = try JSONEncoder().encode([phone])
        #expect(String(decoding: json, as: UTF8.self) == #"["+79161234567"]"#)
        #expect(try JSONDecoder().decode([PhoneNumber].self, from: json) == [phone])
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode([PhoneNumber].self, from: Data(#"["+77011234567"]"#.utf8))
        }
    }
}

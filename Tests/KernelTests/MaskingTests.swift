import FoundationEssentials
import Kernel
import Testing

@Suite struct MaskingTests {
    private struct Personal: Sendable {
        let phone: PhoneNumber
        let card: CardNumber
        let name: FullName
        let secret: Secret

        /// What must be seen nowhere.
        static let hidden = [
            "9161234567", "916", "123-45", "4111111111111111", "41111", "Иванов", "Пётр", "Ильич", "hunter2",
            "104, 117", "68 75 6e",
        ]

        init() throws {
            self.phone = try PhoneNumber(parsing: "+79161234567")
            self.card = try #require(CardNumber("4111111111111111"))
            self.name = try #require(FullName(last: "Иванов", first: "Пётр", middle: "Ильич"))
            self.secret = Secret("hunter2")
        }
    }

    /// Every way that the language has of writing a value that somebody did not mean to show.
    private static func renderings<Value>(of value: Value) -> [String] {
        var dumped = ""
        dump(value, to: &dumped)
        var printed = ""
        print(value, to: &printed)
        return [
            "\(value)", String(describing: value), String(reflecting: value), dumped, printed,
            String(reflecting: Optional(value)), "\([value])", String(reflecting: ["key": value]),
        ]
    }

    @Test func `no way of writing a personal value shows it`() throws {
        let personal = try Personal()
        let renderings =
            Self.renderings(of: personal.phone) + Self.renderings(of: personal.card)
            + Self.renderings(of: personal.name) + Self.renderings(of: personal.secret)
            + Self.renderings(of: personal)
        for rendering in renderings {
            for hidden in Personal.hidden {
                #expect(!rendering.contains(hidden), "found in: \(rendering)")
            }
        }
    }

    @Test func `reflection finds nothing inside`() throws {
        let personal = try Personal()
        let values: [Any] = [personal.phone, personal.card, personal.name, personal.secret]
        for value in values {
            #expect(Mirror(reflecting: value).children.isEmpty)
        }
    }

    @Test func `the masks help to recognise one's own`() throws {
        let personal = try Personal()
        #expect(personal.phone.description == "+7 *** ***-**-67")
        #expect(personal.card.description == "•••• 1111")
        #expect(personal.name.description == "***")
        #expect(personal.secret.description == "***")
    }

    @Test func `who asks for the value by name gets it`() {
        #expect(Secret("hunter2").text == "hunter2")
        #expect(Secret([1, 2]).reveal() == [1, 2])
    }

    @Test func `an error about a personal value does not quote it`() {
        for json in [#"["+7 495 765-43-21"]"#, #"["4111111111111112"]"#] {
            for decode in [
                { _ = try JSONDecoder().decode([PhoneNumber].self, from: Data(json.utf8)) },
                { _ = try JSONDecoder().decode([CardNumber].self, from: Data(json.utf8)) },
            ] {
                let error = #expect(throws: DecodingError.self) { try decode() }
                let text = String(reflecting: error)
                #expect(!text.contains("765") && !text.contains("1112"))
            }
        }
    }

    @Test(
        arguments: [
            ([], [], true), ([1], [1], true), ([1, 2], [1, 3], false), ([0, 2], [1, 2], false), ([1], [1, 1], false),
        ] as [([UInt8], [UInt8], Bool)])
    func `comparison in constant time compares`(left: [UInt8], right: [UInt8], isEqual: Bool) {
        #expect(ConstantTime.equal(left, right) == isEqual)
    }
}

import FoundationEssentials
import Kernel
import Testing

@Suite struct TextTests {
    @Test(arguments: [
        ("a", true), ("Moscow_1-A", true), (String(repeating: "a", count: 32), true),
        ("", false), (String(repeating: "a", count: 33), false), ("a b", false), ("магазин", false), ("a.b", false),
    ])
    func `a store is 1 to 32 letters, digits, underscores or hyphens`(text: String, isAllowed: Bool) {
        #expect((StoreID(text)?.text == text) == isAllowed)
    }

    @Test(arguments: [
        (" ", true), ("~", true), ("8e03978e-40d5-43dd-bc93-6894a57f9324", true),
        (String(repeating: "k", count: 128), true), ("", false), (String(repeating: "k", count: 129), false),
        ("a\n", false), ("ключ", false), ("\u{7F}", false),
    ])
    func `an idempotency key is 1 to 128 printable ASCII characters`(text: String, isAllowed: Bool) {
        #expect((IdempotencyKey(text)?.text == text) == isAllowed)
    }

    @Test(arguments: [
        ("ledger", true), ("partners_exchange", true), ("", false), ("Ledger", false), ("ledger1", false),
        (String(repeating: "a", count: 33), false),
    ])
    func `a service is 1 to 32 lower-case letters or underscores`(text: String, isAllowed: Bool) {
        #expect((ServiceName(text)?.text == text) == isAllowed)
    }

    @Test func `a service names its schema and its role`() {
        let service: ServiceName = "ledger"
        #expect(service.schema == "ledger")
        #expect(service.role == "club_ledger")
    }

    @Test(
        arguments: [
            ("ledger.receipts", "ledger"), ("auth.calls.v2", "auth"), ("partners_exchange.a-b_1", "partners_exchange"),
            ("ledger", nil), ("ledger.", nil), (".receipts", nil), ("Ledger.receipts", nil), ("ledger.Receipts", nil),
            ("ledger.a b", nil), ("", nil), ("ledger." + String(repeating: "a", count: 65), nil),
        ] as [(String, String?)])
    func `a queue says which service owns it`(text: String, service: String?) {
        #expect(QueueName(text)?.service.text == service)
    }

    @Test func `names in the source are checked when they are made`() async {
        #expect(("ledger.calls" as QueueName).service == "ledger")
        await #expect(processExitsWith: .failure) { _ = "Ledger.calls" as QueueName }
        await #expect(processExitsWith: .failure) { _ = "Ledger" as ServiceName }
    }

    @Test func `texts are strings in JSON, and only allowed ones are read`() throws {
        let queue: QueueName = "ledger.calls"
        let json = try JSONEncoder().encode([queue])
        #expect(String(decoding: json, as: UTF8.self) == #"["ledger.calls"]"#)
        #expect(try JSONDecoder().decode([QueueName].self, from: json) == [queue])
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode([StoreID].self, from: Data(#"["a b"]"#.utf8))
        }
    }

    @Test func `texts are ordered by their bytes, as PostgreSQL's collation C does`() throws {
        #expect(try #require(StoreID("Z")) < #require(StoreID("a")))
        #expect(try #require(StoreID("a")) < #require(StoreID("aa")))
    }

    @Test(
        arguments: [
            ("9960440300000001", 1, 0, true), ("0000000000000000", 9_999_999_999, 4_294_967_295, true),
            ("996044030000001", 1, 0, false), ("99604403000000012", 1, 0, false), ("996044030000000x", 1, 0, false),
            ("9960440300000001", 0, 0, false), ("9960440300000001", 10_000_000_000, 0, false),
            ("9960440300000001", 1, -1, false), ("9960440300000001", 1, 4_294_967_296, false),
        ] as [(String, Int64, Int64, Bool)])
    func `a fiscal triple has its ranges`(fn: String, fd: Int64, fpd: Int64, isAllowed: Bool) throws {
        #expect((FiscalID(fn: fn, fd: fd, fpd: fpd) != nil) == isAllowed)
        let json = Data(#"{"fn": "\#(fn)", "fd": \#(fd), "fpd": \#(fpd)}"#.utf8)
        #expect(((try? JSONDecoder().decode(FiscalID.self, from: json)) != nil) == isAllowed)
    }

    @Test func `a fiscal triple survives JSON`() throws {
        let fiscal = try #require(FiscalID(fn: "9960440300000001", fd: 12, fpd: 4_000_000_000))
        #expect(try JSONDecoder().decode(FiscalID.self, from: JSONEncoder().encode(fiscal)) == fiscal)
        #expect(fiscal.description == "9960440300000001/12/4000000000")
    }

    @Test(
        arguments: [
            ("Иванов", "Иван", nil, true), ("  Иванов ", "Иван", "Иванович", true),
            ("О’Коннор", "Анна-Мария", nil, true),
            ("Иванов", "Иван", "  ", true), ("d'Arc", "Jeanne", nil, true), ("Ким", "И.", nil, true),
            ("", "Иван", nil, false), ("Иванов", " ", nil, false), ("Иванов", "Иван1", nil, false),
            ("Иванов", "Иван", "<b>", false), ("-", "Иван", nil, false), ("Иванов\u{0}", "Иван", nil, false),
            (String(repeating: "а", count: 65), "Иван", nil, false),
            ("a" + String(repeating: "\u{301}", count: 1000), "Иван", nil, false),
        ] as [(String, String, String?, Bool)])
    func `a name is letters with what stands between them`(
        last: String, first: String, middle: String?, isAllowed: Bool
    ) {
        #expect((FullName(last: last, first: first, middle: middle) != nil) == isAllowed)
    }

    @Test func `a name is trimmed, and an empty middle name is none`() throws {
        let name = try #require(FullName(last: " Иванов ", first: "Иван", middle: " "))
        #expect(name.last == "Иванов")
        #expect(name.middle == nil)
        #expect(try JSONDecoder().decode(FullName.self, from: JSONEncoder().encode(name)) == name)
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(FullName.self, from: Data(#"{"last": "1", "first": "2"}"#.utf8))
        }
    }
}

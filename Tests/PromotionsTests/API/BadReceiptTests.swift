import HummingbirdTesting
import Kernel
import TestSupport
import Testing

@testable import Promotions

/// What a till may get wrong: each is a problem document with a stable code, nothing is written, and nothing personal
/// is logged.
@Suite(.promotionsDatabase, .capturedLogs) struct BadReceiptTests {
    struct Bad: Sendable, CustomTestStringConvertible {
        let name: String
        let status: Int
        let code: String
        var pointer: String?
        let body: String

        var testDescription: String { self.name }
    }

    private static func changed(
        _ name: String, _ status: Int, _ code: String, _ pointer: String?, _ old: String, _ new: String
    ) -> Bad {
        Bad(name: name, status: status, code: code, pointer: pointer, body: ReceiptJSON.replacing(old, new))
    }

    private static func lines(_ count: Int, quantity: Int = 1000) -> ReceiptJSON {
        let lines = (1...max(1, count)).map {
            #"{"position": \#($0), "sku": "a", "quantity": \#(quantity), "price": 100, "sum": 100}"#
        }
        return ReceiptJSON(
            lines: count == 0 ? "[]" : "[" + lines.joined(separator: ",") + "]", total: Int64(count) * 100)
    }

    static let all: [Bad] = [
        Bad(name: "malformed JSON", status: 400, code: "malformed-json", body: String(ReceiptJSON.text.dropLast(3))),
        changed(
            "an unknown field", 400, "unknown-field", "/lines/0/prise", #""price": 12345"#, #""price": 1, "prise": 1"#),
        changed("a wrong type", 400, "wrong-type", "/lines/0/price", #""price": 12345"#, #""price": "12345""#),
        changed("a fraction of a kopeck", 400, "wrong-type", "/total", #""total": 22000"#, #""total": 22000.5"#),
        changed("a missing field", 400, "missing-field", "/store", #""store": "1","#, ""),
        changed("a number that no Int64 holds", 400, "out-of-range", "/total", "22000", "9223372036854775808"),
        changed(
            "an amount out of range", 422, "amount-out-of-range", "/lines/0/sum", #""sum": 12345"#,
            #""sum": 9223372036854775807"#),
        changed(
            "a negative quantity", 422, "negative-quantity", "/lines/0/quantity", #""quantity": 1000"#,
            #""quantity": -1000"#),
        changed("negative money", 422, "negative-amount", "/lines/0/sum", "\"sum\": 12345", "\"sum\": -12345"),
        changed("a wrong total", 422, "total-mismatch", "/total", "22000", "21999"),
        changed(
            "a position twice", 422, "duplicate-position", "/lines/1/position", #""position": 2"#, #""position": 1"#),
        Bad(name: "an empty receipt", status: 422, code: "empty-receipt", pointer: "/lines", body: lines(0).text),
        Bad(name: "2001 lines", status: 422, code: "too-many-lines", pointer: "/lines", body: lines(2001).text),
        Bad(name: "10,000 lines", status: 422, code: "too-many-lines", pointer: "/lines", body: lines(10_000).text),
        Bad(
            name: "5 MB", status: 413, code: "body-too-large",
            body: ReceiptJSON.replacing(#""sku": "a""#, #""sku": "\#(String(repeating: "a", count: 5_000_000))""#)),
        Bad(
            name: "a date in the future", status: 422, code: "receipt-from-the-future", pointer: "/at",
            body: ReceiptJSON(at: "2026-11-24T12:00:01+03:00").text),
        Bad(
            name: "a receipt too old", status: 422, code: "receipt-too-old", pointer: "/at",
            body: ReceiptJSON(at: "2026-10-24T11:59:59+03:00").text),
        Bad(
            name: "a card with a wrong check digit", status: 422, code: "unknown-card", pointer: "/card",
            body: ReceiptJSON(card: "7000000000000000").text),
        Bad(
            name: "no card number", status: 422, code: "invalid-card", pointer: "/card",
            body: ReceiptJSON(card: "0000").text),
        Bad(
            name: "a foreign store", status: 403, code: "foreign-store", pointer: "/store",
            body: ReceiptJSON(store: "2").text),
    ]

    @Test(arguments: all)
    func `a bad receipt is named by its code and leaves nothing behind`(_ bad: Bad) async throws {
        let world = try await TillWorld()
        let before = try await world.footprint()
        let answer = try await world.client { try await $0.deliver(bad.body) }
        #expect(answer.status == bad.status)
        #expect(answer.problem?.code == bad.code)
        #expect(answer.problem?.errors?.first?.pointer == bad.pointer)
        #expect(try await world.footprint() == before)
        #expect(!CapturedLogs.text.contains(TillWorld.card.digits))
        #expect(!CapturedLogs.text.contains(world.member.description))
    }

    @Test func `a store that the directory does not have is unknown`() async throws {
        let world = try await TillWorld()
        try await world.addKey("head", scopes: ["receipts"])
        let before = try await world.footprint()
        let receipt = ReceiptJSON(store: "9").text
        let answer = try await world.client { try await $0.deliver(receipt, key: "ck_head_secret") }
        #expect(answer.status == 422)
        #expect(answer.problem?.code == "unknown-store")
        #expect(try await world.footprint() == before)
    }

    @Test func `an unknown card is refused, and asked for once`() async throws {
        let world = try await TillWorld()
        let neighbours = Neighbours()
        let before = try await world.footprint()
        try await neighbours.run(around: world) {
            try await world.client { client in
                for _ in 0..<3 {
                    let answer = try await client.deliver(ReceiptJSON(card: Make.card(9).digits).text)
                    #expect(answer.status == 422)
                    #expect(answer.problem?.code == "unknown-card")
                }
            }
        }
        #expect(neighbours.questions == ["card"])
        #expect(try await world.footprint().dropLast() == before.dropLast())
        #expect(try await world.postedJobs().isEmpty)
        #expect(!CapturedLogs.text.contains(Make.card(9).digits))
    }

    @Test(
        arguments: [
            (key: nil, status: 401, code: "api-key-invalid"),
            (key: "ck_till1_wrong", status: 401, code: "api-key-invalid"),
            (key: "ck_gone_secret", status: 401, code: "api-key-invalid"),
            (key: "secret", status: 401, code: "api-key-invalid"),
            (key: "ck_reader_secret", status: 403, code: "api-key-scope"),
        ] as [(key: String?, status: Int, code: String)])
    func `a till without the right key is refused`(key: String?, status: Int, code: String) async throws {
        let world = try await TillWorld()
        try await world.addKey("gone", scopes: ["receipts"], isRevoked: true)
        try await world.addKey("reader", scopes: ["spend"])
        let before = try await world.footprint()
        let answer = try await world.client { try await $0.deliver(ReceiptJSON.text, key: key) }
        #expect(answer.status == status)
        #expect(answer.problem?.code == code)
        #expect(try await world.footprint() == before)
    }

    @Test(arguments: ["2017-01-01T13:01:19Z", "2026-10-24T11:59:59+03:00"])
    func `a key that may import delivers any past`(at: String) async throws {
        let world = try await TillWorld()
        try await world.addKey("import", scopes: ["receipts", "import"])
        let answer = try await world.client { try await $0.deliver(ReceiptJSON(at: at).text, key: "ck_import_secret") }
        #expect(answer.status == 201)
        let later = ReceiptJSON(fiscalDocument: 4712, at: "1999-12-31T23:59:59Z").text
        let refused = try await world.client { try await $0.deliver(later, key: "ck_import_secret") }
        #expect(refused.problem?.code == "receipt-too-old")
    }
}

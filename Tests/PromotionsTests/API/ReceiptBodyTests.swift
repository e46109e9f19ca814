import FoundationEssentials
import Kernel
import Testing

@testable import Promotions

@Suite struct ReceiptBodyTests {
    private func violations(_ text: String) throws -> [Violation] {
        let body = try JSONDecoder().decode(ReceiptBody.self, from: Data(text.utf8))
        do throws(Violations) {
            _ = try body.parsed()
            return []
        } catch {
            return error.found
        }
    }

    @Test func `a receipt is read as it is written, lines by position`() throws {
        let text = ReceiptJSON.replacing(#"{"position": 1,"#, #"{"position": 3,"#)
        let receipt = try JSONDecoder().decode(ReceiptBody.self, from: Data(text.utf8)).parsed()
        #expect(receipt.fiscal == FiscalID(fn: "9999078900000001", fd: 4711, fpd: 1_234_567_890))
        #expect(receipt.sale.at == Timestamp("2026-11-23T09:00:00Z"))
        #expect(receipt.sale.lines.map(\.position) == [2, 3])
        #expect(receipt.sale.lines.map(\.sku) == ["b", "a"])
        #expect(receipt.sale.lines[0].discount == Kopecks(345))
        #expect(receipt.sale.total == Kopecks(22_000))
    }

    @Test(arguments: [
        (#""fn": "9999078900000001""#, #""fn": "12""#, "invalid-fiscal-id", "/fiscal"),
        (#""fd": 4711"#, #""fd": 0"#, "invalid-fiscal-id", "/fiscal"),
        (#""store": "1""#, #""store": "a b""#, "invalid-store", "/store"),
        ("2026-11-23T12:00:00+03:00", "yesterday", "invalid-time", "/at"),
        (Make.card().digits, "123", "invalid-card", "/card"),
        (Make.card().digits, "7000000000000000", "unknown-card", "/card"),
        (#""quantity": 500"#, #""quantity": -500"#, "negative-quantity", "/lines/1/quantity"),
        (#""quantity": 500"#, #""quantity": 9000000000000000000"#, "quantity-out-of-range", "/lines/1/quantity"),
        (#""price": 20000"#, #""price": -1"#, "negative-amount", "/lines/1/price"),
        (#""discount": 345"#, #""discount": -345"#, "negative-amount", "/lines/1/discount"),
        (#""sum": 12345"#, #""sum": -12345"#, "negative-amount", "/lines/0/sum"),
        (#""sum": 12345"#, #""sum": 9223372036854775807"#, "amount-out-of-range", "/lines/0/sum"),
        (#""total": 22000"#, #""total": 22001"#, "total-mismatch", "/total"),
        (#""total": 22000"#, #""total": -22000"#, "negative-amount", "/total"),
        (#""position": 2"#, #""position": 1"#, "duplicate-position", "/lines/1/position"),
        (#""position": 2"#, #""position": 0"#, "invalid-position", "/lines/1/position"),
        (#""sku": "a""#, #""sku": """#, "invalid-text", "/lines/0/sku"),
        (#""sku": "a""#, #""sku": "a\u0000""#, "invalid-text", "/lines/0/sku"),
        (#""tags": ["alcohol"]"#, #""tags": ["Alcohol, cheap"]"#, "invalid-tag", "/lines/0/tags/0"),
    ])
    func `a value that breaks a rule is named by a code and a pointer`(
        old: String, new: String, code: String, pointer: String
    ) throws {
        let found = try self.violations(ReceiptJSON.replacing(old, new))
        #expect(found.map(\.code.rawValue) == [code])
        #expect(found.map(\.pointer) == [pointer])
    }

    @Test func `a line of quantity 0 is fine`() throws {
        #expect(try self.violations(ReceiptJSON.replacing(#""quantity": 500"#, #""quantity": 0"#)).isEmpty)
    }

    private func lines(_ count: Int) -> [LineBody] {
        (0..<count).map { index in
            LineBody(
                position: Int64(index + 1), sku: "a", ean: nil, name: nil, category: nil, quantity: -1, price: 0,
                discount: nil, sum: 0, tags: nil)
        }
    }

    @Test(arguments: [(0, "empty-receipt"), (2001, "too-many-lines"), (10_000, "too-many-lines")])
    func `a receipt has 1 to 2000 lines`(count: Int, code: String) throws {
        var violations = Violations()
        #expect(self.lines(count).parsed(at: "", total: 0, &violations) == nil)
        #expect(violations.found.map(\.code.rawValue) == [code])
    }

    @Test func `of very many violations the first are reported`() throws {
        var violations = Violations()
        #expect(self.lines(2000).parsed(at: "", total: 0, &violations) == nil)
        #expect(violations.found.count == Violations.reportedMax)
    }

    @Test func `a fingerprint tells receipts apart by every value and by nothing else`() throws {
        func fingerprint(_ text: String) throws -> [UInt8] {
            try JSONDecoder().decode(ReceiptBody.self, from: Data(text.utf8)).parsed().fingerprint
        }
        let original = try fingerprint(ReceiptJSON.text)
        #expect(try fingerprint(ReceiptJSON.replacing("\n", "   \n")) == original)
        #expect(try fingerprint(ReceiptJSON.replacing("2026-11-23T12:00:00+03:00", "2026-11-23T09:00:00Z")) == original)
        let changes = [
            ("4711", "4712"), (#""store": "1""#, #""store": "2""#), ("12:00:00", "12:00:01"),
            (Make.card().digits, Make.card(2).digits), (#""sku": "a""#, #""sku": "c""#),
            (#""sku": "a""#, #""sku": "a", "name": "a""#), (#""sku": "a""#, #""sku": "a", "ean": "a""#),
            (#""sku": "a""#, #""sku": "a", "category": "a""#), (#""quantity": 500"#, #""quantity": 501"#),
            (#""price": 20000"#, #""price": 20001"#), (#""discount": 345, "#, ""), (#""alcohol""#, #""tobacco""#),
        ]
        var seen: Set<[UInt8]> = [original]
        for (old, new) in changes {
            #expect(seen.insert(try fingerprint(ReceiptJSON.replacing(old, new))).inserted, "\(old) → \(new)")
        }
    }
}

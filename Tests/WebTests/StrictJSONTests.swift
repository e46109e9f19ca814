import HTTPTypes
import Kernel
import Testing
import Web

@Suite struct StrictJSONTests {
    private struct Line: Decodable, Equatable {
        let sku: String
        let sum: Kopecks
        let discount: Int64?
    }

    private enum Kind: String, Decodable {
        case sale
        case giveBack = "return"
    }

    private struct Body: Decodable {
        let kind: Kind
        let lines: [Line]
        let share: Double?
        let paid: Bool?
        let small: Int8?
    }

    private static func decode(_ json: String) throws -> Body {
        try StrictJSON.decode(Body.self, bytes: Array(json.utf8))
    }

    private static func problem(of json: String) -> Problem? {
        #expect(throws: Problem.self) { try Self.decode(json) }
    }

    @Test func `a body that is as expected is read`() throws {
        let body = try Self.decode(
            #"""
             { "kind" : "return", "lines": [ {"sku": "\u041c\u043e\u043b\u043e\u043a\u043e \ud83e\udd5b \"\\\/\b\f\n\r\t", "sum": 123},
               {"sum": 0, "discount": -5, "sku": "б"} ], "share": -1.25e2, "paid": true, "small": null }
            """#)
        #expect(body.kind == .giveBack)
        #expect(body.lines[0].sku == "Молоко 🥛 \"\\/\u{8}\u{C}\n\r\t")
        #expect(body.lines[0].sum.amount == 123)
        #expect(body.lines[0].discount == nil)
        #expect(body.lines[1] == Line(sku: "б", sum: .zero, discount: -5))
        #expect(body.share == -125)
        #expect(body.paid == true)
        #expect(body.small == nil)
    }

    @Test(arguments: [
        "", " ", "{", "}", "[", "{\"kind\"", "{\"kind\":}", "{kind: 1}", "{'kind': 1}", "{\"a\": 1,}",
        "{\"a\": 1 \"b\": 2}",
        "[1,]", "[1 2]", "[,1]", "{} {}", "{}x", "nul", "truE", "+1", "01", "1.", ".5", "1e", "-", "0x10", "NaN",
        "Infinity", "\"a", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"",
        "\"a\nb\"", "\"\\u0000\"", "{} // comment", "/* c */ {}", "\u{FEFF}{}", "{\"a\": undefined}",
    ])
    func `what is not JSON is malformed`(json: String) throws {
        #expect(try #require(Self.problem(of: json)).kind.code == "malformed-json")
    }

    @Test(arguments: [[0x22, 0xFF, 0x22], [0x22, 0xC3, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0x7B, 0x00, 0x7D]])
    func `what is not UTF-8 is malformed`(bytes: [UInt8]) throws {
        let problem = #expect(throws: Problem.self) { try StrictJSON.decode(String.self, bytes: bytes) }
        #expect(problem?.kind.code == "malformed-json")
    }

    @Test(arguments: [
        (#"{"kind": "sale", "lines": [], "prise": 1}"#, "unknown-field", "/prise"),
        (
            #"{"kind": "sale", "lines": [{"sku": "a", "sum": 1}, {"sku": "b", "sum": 1, "a/b~c": 1}]}"#,
            "unknown-field", "/lines/1/a~1b~0c"
        ),
        (#"{"kind": "sale", "kind": "sale", "lines": []}"#, "duplicate-field", "/kind"),
        (#"{"kind": "sale", "lines": [{"sku": "a", "sum": 1, "sum": 2}]}"#, "duplicate-field", "/lines/0/sum"),
        (#"{"kind": "sale", "lines": [{"sku": "a", "sum": 1, "s\u0075m": 2}]}"#, "duplicate-field", "/lines/0/sum"),
        (#"{"lines": []}"#, "missing-field", "/kind"),
        (#"{"kind": "sale", "lines": [{"sum": 1}]}"#, "missing-field", "/lines/0/sku"),
        (#"[]"#, "wrong-type", ""), (#"1"#, "wrong-type", ""), (#"null"#, "wrong-type", ""),
        (#"{"kind": 1, "lines": []}"#, "wrong-type", "/kind"),
        (#"{"kind": null, "lines": []}"#, "wrong-type", "/kind"),
        (#"{"kind": "sale", "lines": {}}"#, "wrong-type", "/lines"),
        (#"{"kind": "sale", "lines": [1]}"#, "wrong-type", "/lines/0"),
        (#"{"kind": "sale", "lines": [{"sku": "a", "sum": "1"}]}"#, "wrong-type", "/lines/0/sum"),
        (#"{"kind": "sale", "lines": [{"sku": "a", "sum": 1.0}]}"#, "wrong-type", "/lines/0/sum"),
        (#"{"kind": "sale", "lines": [{"sku": "a", "sum": 1e2}]}"#, "wrong-type", "/lines/0/sum"),
        (#"{"kind": "sale", "lines": [{"sku": 1, "sum": 1}]}"#, "wrong-type", "/lines/0/sku"),
        (#"{"kind": "sale", "lines": [], "paid": 1}"#, "wrong-type", "/paid"),
        (#"{"kind": "sale", "lines": [], "share": "1"}"#, "wrong-type", "/share"),
        (#"{"kind": "sale", "lines": [{"sku": "a", "sum": 9223372036854775808}]}"#, "out-of-range", "/lines/0/sum"),
        (#"{"kind": "sale", "lines": [], "small": 128}"#, "out-of-range", "/small"),
        (#"{"kind": "sale", "lines": [], "share": 1e999}"#, "out-of-range", "/share"),
        (#"{"kind": "sale", "lines": [{"sku": "a", "sum": -1}]}"#, "invalid-value", "/lines/0/sum"),
        (#"{"kind": "swap", "lines": []}"#, "invalid-value", "/kind"),
    ])
    func `what is JSON but not what was expected is told with its place`(
        json: String, code: String, pointer: String
    ) throws {
        let problem = try #require(Self.problem(of: json))
        #expect(problem.status == .badRequest)
        #expect(problem.kind.code == code)
        #expect(problem.violations.map(\.pointer) == [pointer])
        #expect(problem.violations.map(\.code) == [code])
    }

    @Test func `a value that is not allowed is neither quoted nor explained in terms of the source`() throws {
        let problem = try #require(Self.problem(of: #"{"kind": "Ivanov", "lines": []}"#))
        let detail = try #require(problem.violations.first?.detail)
        #expect(!detail.contains("Ivanov") && !detail.contains("Kind"))
        let amount = try #require(Self.problem(of: #"{"kind": "sale", "lines": [{"sku": "a", "sum": -1}]}"#))
        #expect(amount.violations.first?.detail == "an amount is a whole number from 0")
    }

    @Test func `all unknown fields are told, but no more than ten`() throws {
        let names = (0..<50).map { "\"x\($0)\": {\"deep\": 1}" }.joined(separator: ", ")
        let problem = try #require(Self.problem(of: #"{"kind": "sale", "lines": [], \#(names)}"#))
        #expect(problem.violations.count == 10)
        let both = try #require(
            Self.problem(of: #"{"a": 1, "kind": "sale", "lines": [{"sku": "a", "sum": 1, "b": 1}]}"#))
        #expect(both.violations.map(\.pointer) == ["/a", "/lines/0/b"])
    }

    @Test func `a field's name of any length does not come back whole`() throws {
        let name = String(repeating: "n", count: 10_000)
        let problem = try #require(Self.problem(of: #"{"kind": "sale", "lines": [], "\#(name)": 1}"#))
        #expect(problem.violations.allSatisfy { $0.pointer.utf8.count <= 65 })
    }

    @Test(arguments: [("[", "]"), (#"{"a":"#, "}")])
    func `more than 32 levels are refused without reading on`(open: String, close: String) throws {
        let deep = { (count: Int) in
            String(repeating: open, count: count) + "1" + String(repeating: close, count: count)
        }
        #expect(try #require(Self.problem(of: deep(33))).kind.code == "nested-too-deeply")
        #expect(try #require(Self.problem(of: deep(32))).kind.code != "nested-too-deeply")
        #expect(
            try #require(Self.problem(of: String(repeating: open, count: 500_000))).kind.code == "nested-too-deeply")
    }

    @Test func `an empty object refuses what it does not know`() throws {
        struct Nothing: Decodable {}
        _ = try StrictJSON.decode(Nothing.self, bytes: Array("{}".utf8))
        let problem = #expect(throws: Problem.self) {
            try StrictJSON.decode(Nothing.self, bytes: Array(#"{"x": 1}"#.utf8))
        }
        #expect(problem?.kind.code == "unknown-field")
    }

    @Test func `ten thousand lines are read`() throws {
        let line = #"{"sku": "4600000000001", "sum": 12345, "discount": 0}"#
        let json = #"{"kind": "sale", "lines": [\#(Array(repeating: line, count: 10_000).joined(separator: ","))]}"#
        #expect(try Self.decode(json).lines.count == 10_000)
    }
}

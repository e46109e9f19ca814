import Testing

@testable import Postgres

@Suite struct SQLTests {
    @Test func `values become parameters and never text`() {
        let evil = "'; drop table ledger.wallet; --"
        let sql: SQL = "select \(1), \(evil), \(Int?.none)"
        #expect(sql.text == "select $1, $2, $3")
        #expect(sql.parameters.types == [20, 25, 20])
        #expect(sql.parameters.lengths == [8, Int32(evil.utf8.count), -1])
    }

    @Test func `neither its description nor its mirror shows a value`() {
        let sql: SQL = "select \("+79160000001")"
        for text in ["\(sql)", String(reflecting: sql), "\(Mirror(reflecting: sql).children.map { "\($0)" })"] {
            #expect(!text.contains("+7916"))
        }
    }

    @Test(arguments: [
        ("plain", "\"plain\""), ("Mixed Case", "\"Mixed Case\""), ("a\"b", "\"a\"\"b\""), ("\"", "\"\"\"\""),
        ("", "\"\""),
    ])
    func `identifiers are quoted`(name: String, quoted: String) {
        let sql: SQL = "select * from \(identifier: "s", name)"
        #expect(sql.text == "select * from \"s\".\(quoted)")
    }

    @Test func `a fragment brings its parameters and counts on`() {
        let condition: SQL = "a = \(1) and b = \("x")"
        let sql: SQL = "select \(true) where \(fragment: condition) or \(fragment: condition) limit \(5)"
        #expect(sql.text == "select $1 where a = $2 and b = $3 or a = $4 and b = $5 limit $6")
        #expect(sql.parameters.types == [16, 20, 25, 20, 25, 20])
        #expect(sql.parameters.offsets == [0, 1, 9, 10, 18, 19])
    }

    @Test func `a template binds its values as an interpolation does`() {
        let template = SQL.Template("select $1, $2, $3")
        let evil = "'; drop table ledger.wallet; --"
        let bound = template.binding(3) { values in
            values.bind(1)
            values.bind(evil)
            values.bind(Int?.none)
        }
        let sql: SQL = "select \(1), \(evil), \(Int?.none)"
        #expect(bound.text == sql.text)
        #expect(bound.parameters.types == sql.parameters.types)
        #expect(bound.parameters.lengths == sql.parameters.lengths)
        #expect(bound.parameters.offsets == sql.parameters.offsets)
        #expect(bound.parameters.buffer.bytes == sql.parameters.buffer.bytes)
    }

    @Test func `a dollar inside of quotes is no parameter`() {
        let fragment: SQL = "note = '$1' and \"$1\" = \(7)"
        let sql: SQL = "\(1) \(fragment: fragment)"
        #expect(sql.text == "$1 note = '$1' and \"$1\" = $2")
    }

    @Test func `more than nine parameters of a fragment keep their digits apart`() {
        let fragment: SQL = "\(0),\(1),\(2),\(3),\(4),\(5),\(6),\(7),\(8),\(9),\(10)"
        let sql: SQL = "\(true) \(fragment: fragment)"
        #expect(sql.text == "$1 $2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12")
    }

    @Test func `a value that cannot be said is kept as the failure of the statement`() {
        let sql: SQL = "select \("a\0b")"
        #expect(sql.parameters.failure?.code == .encodingFailed)
    }
}

import Foundation
import Testing

@testable import Club

@Suite struct TerminalTests {
    private let table = Table(
        [.text("NAME"), .number("POINTS")], rows: [["Магазин", "5"], ["b\tc", "1000"]])

    @Test func `a terminal sees aligned columns under their headings`() {
        #expect(
            self.table.text(forTerminal: true) == """
                NAME     POINTS
                Магазин       5
                b c        1000

                """)
    }

    @Test func `a pipe gets the rows alone, separated by tabs`() {
        #expect(self.table.text(forTerminal: false) == "Магазин\t5\nb c\t1000\n")
    }

    @Test func `facts have no headings`() {
        let facts = Table.facts([("receipts", "3"), ("errors", "0")])
        #expect(facts.text(forTerminal: true) == "receipts  3\nerrors    0\n")
        #expect(facts.text(forTerminal: false) == "receipts\t3\nerrors\t0\n")
    }

    @Test func `an empty table has headings on a terminal and nothing in a pipe`() {
        let empty = Table([.text("A"), .text("B")])
        #expect(empty.text(forTerminal: true) == "A  B\n")
        #expect(empty.text(forTerminal: false).isEmpty)
    }

    @Test(arguments: [
        (0, 4, "x  [······························] 0 % 0/4"), (1, 2, "x  [███████████████···············] 50 % 1/2"),
        (5, 4, "x  [██████████████████████████████] 100 % 5/4"), (0, 0, "x  [······························] 0 % 0/0"),
    ])
    func `a bar shows the share that is done`(done: Int, total: Int, picture: String) {
        #expect(ProgressBar.picture("x", done: done, total: total) == picture)
    }

    /// What a command writes to its standard output, which is a pipe here.
    private func written(json: Bool, _ body: (Output) throws -> Void) throws -> String {
        let pipe = Pipe()
        try body(Output(json: json, descriptor: pipe.fileHandleForWriting.fileDescriptor))
        try pipe.fileHandleForWriting.close()
        return String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    }

    @Test func `a result is one JSON document, or rows and sentences, never both`() throws {
        let json = try self.written(json: true) { output in
            output.line("not in a document")
            try output.result(["b": 1, "a": 2], self.table)
        }
        #expect(json == "{\n  \"a\" : 2,\n  \"b\" : 1\n}\n")
        let text = try self.written(json: false) { output in
            output.line("A sentence.")
            try output.result(["b": 1, "a": 2], self.table)
            try output.result(["b": 1], text: "b is 1")
        }
        #expect(text == "A sentence.\nМагазин\t5\nb c\t1000\nb is 1\n")
    }
}

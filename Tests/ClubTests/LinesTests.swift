import Testing

@testable import Club

@Suite struct LinesTests {
    private func lines(of chunks: [String]) -> [String] {
        var splitter = LineSplitter()
        var lines = chunks.flatMap { splitter.split(Array($0.utf8)) }
        lines += splitter.finish()
        return lines.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(arguments: [
        ["a\nb\nc\n"], ["a\r\nb\r\nc"], ["a", "\nb", "\nc\n"], ["a\nb", "\n", "c"], ["", "a\n", "", "b\nc\n", ""],
    ])
    func `lines are the same however the stream is cut`(chunks: [String]) {
        #expect(self.lines(of: chunks) == ["a", "b", "c"])
    }

    @Test func `an empty line is a line`() {
        #expect(self.lines(of: ["a\n\nb"]) == ["a", "", "b"])
    }

    @Test(
        arguments: [
            ("1,,3", ["1", "", "3"]), ("", [""]), (#""a,b",c"#, ["a,b", "c"]),
            (#""say ""hi""",x"#, [#"say "hi""#, "x"]),
            (#"a,"""#, ["a", ""]),
        ] as [(String, [String])])
    func `a row is cut at its commas, but for those in quotes`(line: String, expected: [String]) {
        let row = CSVRow(Array(line.utf8)[...])
        #expect(row.fields.indices.map { row.text($0) } == expected)
    }
}

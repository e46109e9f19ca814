import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#endif

/// Writes figures as a table for people or, with `--json`, one line each for programs.
struct Report: Sendable {
    let json: Bool

    func cases(_ names: [String]) {
        names.forEach(self.line)
    }

    func heading() {
        guard !self.json else { return }
        self.line(self.row("target", "figure", "measured", "raw limit", "ratio", "goal", ""))
    }

    func add(_ figure: Figure) throws {
        if self.json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            self.line(String(decoding: try encoder.encode(figure), as: UTF8.self))
            return
        }
        let verdict = figure.holds.map { $0 ? "holds" : "MISSED" } ?? ""
        self.line(
            self.row(
                figure.target, figure.name, "\(Figure.short(figure.value)) \(figure.unit)",
                figure.raw.map { "\(Figure.short($0))\(figure.rawName.map { name in " (\(name))" } ?? "")" } ?? "",
                figure.ratio.map(Figure.short) ?? "", figure.goal?.text ?? "", verdict))
    }

    /// What is proven elsewhere.
    func remark(_ target: String, _ text: String) {
        self.line(self.json ? #"{"target":"\#(target)","remark":"\#(text)"}"# : self.row(target, text))
    }

    /// A word for the process that started this one.
    static func say(_ text: String) {
        self.write(text, to: STDOUT_FILENO)
    }

    /// Progress goes to stderr, so that figures can be piped.
    func progress(_ text: String) {
        Self.write("\(text)\n", to: STDERR_FILENO)
    }

    private func line(_ text: String) {
        Self.write("\(text)\n", to: STDOUT_FILENO)
    }

    private func row(_ cells: String...) -> String {
        let widths = [10, 58, 22, 42, 7, 8, 6]
        return zip(cells, widths).map { cell, width in
            cell + String(repeating: " ", count: max(1, width - cell.count))
        }.joined()
    }

    private static func write(_ text: String, to descriptor: Int32) {
        var bytes = ArraySlice(text.utf8)
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard written > 0 else { return }
            bytes = bytes.dropFirst(written)
        }
    }
}

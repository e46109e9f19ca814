/// Rows under headings. A terminal sees aligned columns with their headings; a pipe gets the rows alone, separated by
/// tabs, so that `cut` and `awk` work without counting spaces.
struct Table: Sendable, Equatable {
    enum Alignment: Sendable {
        case left
        case right
    }

    /// A column: its heading and on which side its values stand.
    struct Column: Sendable, Equatable {
        let heading: String
        let alignment: Alignment

        /// Text.
        static func text(_ heading: String) -> Column { Column(heading: heading, alignment: .left) }
        /// Numbers.
        static func number(_ heading: String) -> Column { Column(heading: heading, alignment: .right) }
    }

    let columns: [Column]
    private(set) var rows: [[String]] = []

    init(_ columns: [Column], rows: [[String]] = []) {
        self.columns = columns
        self.rows = rows
    }

    /// Two columns without headings of their own: what something is, and its value.
    static func facts(_ facts: [(name: String, value: String)]) -> Table {
        Table([.text(""), .text("")], rows: facts.map { [$0.name, $0.value] })
    }

    func text(forTerminal isTerminal: Bool) -> String {
        let rows = self.rows.map { $0.map(Self.withoutTabs) }
        guard isTerminal else { return rows.map { $0.joined(separator: "\t") + "\n" }.joined() }
        let headings = self.columns.map(\.heading)
        let shown = headings.allSatisfy(\.isEmpty) ? rows : [headings] + rows
        let widths = self.columns.indices.map { column in shown.map { $0[column].count }.max() ?? 0 }
        return shown.map { row in self.line(row, widths: widths) + "\n" }.joined()
    }

    private func line(_ row: [String], widths: [Int]) -> String {
        var line = ""
        for (index, cell) in row.enumerated() {
            let padding = String(repeating: " ", count: widths[index] - cell.count)
            line += self.columns[index].alignment == .left ? cell + padding : padding + cell
            line += "  "
        }
        while line.last == " " { line.removeLast() }
        return line
    }

    private static func withoutTabs(_ cell: String) -> String {
        String(cell.map { $0 == "\t" || $0.isNewline ? " " : $0 })
    }
}

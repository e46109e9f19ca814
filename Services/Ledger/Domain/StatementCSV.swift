internal import Kernel

extension Statement {
    /// The statement for spreadsheets and programs: RFC 4180, UTF-8, moments in UTC, amounts in points.
    ///
    /// The first row names the columns, the second is the opening balance, the last one the closing balance.
    public var csv: String {
        let heading = [
            "number", "recorded_at", "effective_at", "kind", "points", "change", "available_after", "origin",
            "receipt_kopecks", "subject", "transaction",
        ]
        let rows =
            [heading, Self.edge("opening", self.from, self.opening)]
            + self.lines.map(Self.row) + [Self.edge("closing", self.to, self.closing)]
        return rows.map { $0.map(Self.field).joined(separator: ",") + "\r\n" }.joined()
    }

    private static func row(_ line: FeedLine) -> [String] {
        [
            "\(line.version)", line.recordedAt.description, line.effectiveAt.description, line.kind.rawValue,
            "\(line.points.amount)", "\(line.change)", "\(line.availableAfter.amount)", line.origin,
            line.receipt.map { "\($0.total.amount)" } ?? "",
            line.receipt?.id.description ?? line.hold?.id.description ?? "", line.id.description,
        ]
    }

    private static func edge(_ name: String, _ moment: Timestamp, _ balance: PastBalance) -> [String] {
        let time = moment == .distantPast ? "" : moment.description
        return ["", time, "", name, "", "", "\(balance.available)", "", "", "", ""]
    }

    /// A text that begins like a formula is one to a spreadsheet: it gets an apostrophe before it.
    private static func field(_ text: String) -> String {
        let isNumber = Int64(text) != nil
        let isFormula = !isNumber && (text.utf8.first.map { "=+-@\t\r".utf8.contains($0) } ?? false)
        let safe = isFormula ? "'" + text : text
        guard safe.utf8.contains(where: { ",\"\r\n".utf8.contains($0) }) else { return safe }
        return "\"" + safe.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}

extension Timestamp {
    /// Before everything that can have been recorded: PostgreSQL reads it, and no month is before it.
    static let distantPast = Timestamp(secondsSince1970: 0)
    /// After everything that can have been recorded: the first second of the year 10000.
    static let distantFuture = Timestamp(secondsSince1970: 253_402_300_800)
}

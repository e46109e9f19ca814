import FoundationEssentials
import Kernel
import Ledger

/// Somebody else's list of balances or receipts, read from CSV.
enum StatedList: Equatable {
    case balances([StatedBalance])
    case receipts([StatedReceipt])

    var count: Int {
        switch self {
        case .balances(let lines): lines.count
        case .receipts(let lines): lines.count
        }
    }

    /// - Parameter name: the file's, for the sentence about what is wrong with it.
    /// - Throws: ``CommandFailure`` (65) that names the line.
    init(_ bytes: Data, name: String) throws {
        let lines = Array(bytes).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { $0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0 }
        guard let first = lines.first else { throw Self.failure(name, 1, "there is no line with the columns' names") }
        let heading = CSVRow(Self.withoutMark(first))
        let columns = heading.fields.indices.map { heading.text($0).lowercased() }
        let rows = lines.enumerated().dropFirst().filter { !$0.element.isEmpty }.map {
            NamedRow(row: CSVRow($0.element), columns: columns, file: name, line: $0.offset + 1)
        }
        if columns.contains("member") && columns.contains("available") {
            self = .balances(try Self.balances(rows))
        } else if ["fn", "fd", "fpd"].allSatisfy(columns.contains) {
            self = .receipts(try Self.receipts(rows))
        } else {
            throw Self.failure(name, 1, "the columns are neither member,available nor fn,fd,fpd")
        }
    }

    private static func balances(_ rows: [NamedRow]) throws -> [StatedBalance] {
        var seen: Set<Member.ID> = []
        return try rows.map { row in
            let member = try row.read("member") { Member.ID($0) }
            guard seen.insert(member).inserted else { throw row.failure("the member was listed before") }
            return StatedBalance(member: member, available: try row.read("available") { Int64($0) })
        }
    }

    private static func receipts(_ rows: [NamedRow]) throws -> [StatedReceipt] {
        var seen: Set<FiscalID> = []
        return try rows.map { row in
            let (fn, fd) = (try row.read("fn") { $0 }, try row.read("fd") { Int64($0) })
            let fpd = try row.read("fpd") { Int64($0) }
            guard let fiscal = FiscalID(fn: fn, fd: fd, fpd: fpd) else {
                throw row.failure("the fiscal triple is none")
            }
            guard seen.insert(fiscal).inserted else { throw row.failure("the receipt was listed before") }
            return StatedReceipt(
                fiscal: fiscal, total: try row.readIfThere("total") { Int64($0).flatMap { Kopecks($0) } },
                points: try row.readIfThere("points") { Int64($0) })
        }
    }

    /// Spreadsheets put a byte order mark before the first name.
    private static func withoutMark(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        line.starts(with: [0xEF, 0xBB, 0xBF]) ? line.dropFirst(3) : line
    }

    fileprivate static func failure(_ file: String, _ line: Int, _ what: String) -> CommandFailure {
        CommandFailure(.dataError, "\(file), line \(line): \(what).")
    }
}

/// A row whose fields have names.
private struct NamedRow {
    let row: CSVRow
    let columns: [String]
    let file: String
    let line: Int

    func failure(_ what: String) -> CommandFailure { StatedList.failure(self.file, self.line, what) }

    func read<Value>(_ column: String, _ parse: (String) -> Value?) throws -> Value {
        guard let value = try self.readIfThere(column, parse) else { throw self.failure("\(column) is missing") }
        return value
    }

    /// nil when there is no such column, or nothing in it.
    func readIfThere<Value>(_ column: String, _ parse: (String) -> Value?) throws -> Value? {
        guard let index = self.columns.firstIndex(of: column), index < self.row.fields.count else { return nil }
        let text = self.row.text(index)
        guard !text.isEmpty else { return nil }
        guard let value = parse(text) else { throw self.failure("\(column) cannot be read") }
        return value
    }
}

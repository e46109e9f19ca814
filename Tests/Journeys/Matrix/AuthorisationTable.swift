import FoundationEssentials
import Testing
import Web

@testable import Club

/// The checked-in table of who gets in where, Matrix/authorisation.txt: a line for each route, a column for each caller.
/// Tests/Repository holds the lines against the routers, so that no route is missing.
struct AuthorisationTable: Sendable {
    /// What a door does.
    enum Verdict: String, Sendable {
        /// Says that it does not know who asks.
        case unknown = "401"
        /// Knows, and says no.
        case refused = "403"
        /// Has nothing of the kind, or nothing that this caller may know of.
        case absent = "404"
        /// Has looked at the request itself, whatever comes of it.
        case inside = "in"

        init(status: Int) {
            switch status {
            case 401: self = .unknown
            case 403: self = .refused
            case 404: self = .absent
            default: self = .inside
            }
        }
    }

    struct Line: Sendable {
        let part: ServicePart
        let method: String
        /// As the router has it, with `{parameters}`.
        let path: String
        let verdicts: [Caller: Verdict]

        var route: String { "\(self.part.rawValue) \(self.method) \(self.path)" }

        /// The first caller who is let in; nil when nobody is.
        var guest: Caller? {
            let callers = AuthorisationTable.columns
            return callers.first { self.verdicts[$0] == .inside } ?? callers.first { self.verdicts[$0] == .absent }
        }
    }

    /// The callers of the columns, in their order.
    static let columns: [Caller] =
        [.nobody, .member, .other, .till, .partner] + StaffRole.allCases.map { .colleague($0) }

    let lines: [Line]

    private static func title(of caller: Caller) -> String {
        switch caller {
        case .nobody: "nob"
        case .member: "mem"
        case .other: "oth"
        case .till: "til"
        case .partner: "par"
        case .colleague(let role): Self.title(of: role)
        }
    }

    private static func title(of role: StaffRole) -> String {
        switch role {
        case .support: "sup"
        case .supervisor: "svr"
        case .promoEditor: "ped"
        case .promoApprover: "pap"
        case .financeOperator: "fop"
        case .financeApprover: "fap"
        case .partnerManager: "pma"
        case .storeClerk: "clk"
        case .auditor: "aud"
        case .dataProtectionOfficer: "dpo"
        case .sysadmin: "sys"
        }
    }

    static func read() throws -> AuthorisationTable {
        let file = #filePath.split(separator: "/").dropLast().joined(separator: "/") + "/authorisation.txt"
        let text = try String(contentsOfFile: "/" + file, encoding: .utf8)
        return AuthorisationTable(
            lines: try text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map(Self.line))
    }

    private static func line(_ text: Substring) throws -> Line {
        let words = text.split(separator: " ").map(String.init)
        try #require(words.count == 3 + Self.columns.count || words.count == 3, "\(text)")
        // A route without verdicts expects nothing, so that every cell of it is reported as it is found.
        let verdicts = zip(Self.columns, words.dropFirst(3)).map { ($0, Verdict(rawValue: $1)) }
        return Line(
            part: try #require(ServicePart(rawValue: words[0]), "\(text)"), method: words[1], path: words[2],
            verdicts: try Dictionary(uniqueKeysWithValues: verdicts.map { ($0, try #require($1, "\(text)")) }))
    }

    /// The line of a route; nil where the table has none.
    func line(_ part: ServicePart, _ operation: String) -> Line? {
        self.lines.first { $0.part == part && "\($0.method) \($0.path)" == operation }
    }

    /// A line of the file.
    static func text(_ line: Line, _ verdicts: [Caller: Verdict]) -> String {
        let columns = Self.columns.map { verdicts[$0]?.rawValue ?? "?" }
        return Self.row([line.part.rawValue, line.method, line.path], columns)
    }

    /// The line above the others.
    static var heading: String { Self.row(["# service", "method", "path"], Self.columns.map(Self.title)) }

    private static func row(_ route: [String], _ columns: [String]) -> String {
        let widths = [18, 7, 67]
        let cells = zip(route, widths).map(Self.padded) + columns.map { Self.padded($0, 4) }
        return String(cells.joined().reversed().drop { $0 == " " }.reversed())
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }
}

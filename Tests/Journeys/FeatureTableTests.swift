import Foundation
import Testing

@testable import Club

/// FEATURES.md: each row of the programme's list with its routes and its tests. What it names is there.
@Suite struct FeatureTableTests {
    /// A line of the table.
    private struct Line {
        let number: Int
        /// Service and operation: `ledger`, `GET /v1/balance`.
        var routes: [(service: String, operation: String)] = []
        /// The file, without `.swift`, and the test's name.
        var tests: [(suite: String, name: String)] = []

        /// nil for what is no line of the table: `| 1 | words | routes | tests |`.
        init?(_ text: Substring) {
            let cells = text.split(separator: "|", omittingEmptySubsequences: false)
            guard cells.count == 6, let number = Int(cells[1].filter { $0 != " " }) else { return nil }
            self.number = number
            // ledger `GET /v1/balance`, `GET /v1/lots`; support `GET /v1/faq`
            for group in cells[3].split(separator: ";") {
                let pieces = group.split(separator: "`", omittingEmptySubsequences: false)
                guard let service = pieces.first?.filter({ $0 != " " }) else { continue }
                for (index, piece) in pieces.enumerated() where index % 2 == 1 {
                    self.routes.append((service, String(piece)))
                }
            }
            // Suite: `name of the test`; Suite: `another`
            for named in cells[4].split(separator: ";") {
                let pieces = named.split(separator: "`")
                guard pieces.count >= 2 else { continue }
                self.tests.append((pieces[0].filter { $0 != " " && $0 != ":" }, String(pieces[1])))
            }
        }
    }

    private static let folders = [
        "auth": "Auth", "ledger": "Ledger", "promotions": "Promotions", "partners-exchange": "PartnersExchange",
        "charity": "Charity", "gift-certificates": "GiftCertificates", "support": "Support",
    ]

    private static func text(_ path: String) throws -> String {
        try String(contentsOfFile: "\(WalkThroughTests.repository)/\(path)", encoding: .utf8)
    }

    private func lines() throws -> [Line] {
        try Self.text("FEATURES.md").split(separator: "\n").compactMap { Line($0) }
    }

    @Test func `the table has every row of the list once, and the tour walks the same rows`() throws {
        let numbers = try self.lines().map(\.number)
        #expect(numbers == Array(1...65).filter { $0 != TourRow.later })
        #expect(TourRow.all.map(\.number) == numbers)
    }

    @Test func `every row has a route, and every route stands in its service's openapi yaml`() throws {
        let documents = try Self.folders.mapValues { folder in
            Self.operations(in: try Self.text("Services/\(folder)/openapi.yaml"))
        }
        for line in try self.lines() {
            #expect(!line.routes.isEmpty, "row \(line.number)")
            for (service, operation) in line.routes {
                let document = try #require(documents[service], "row \(line.number): \(service)")
                #expect(document.contains(operation), "row \(line.number): \(service) \(operation)")
            }
        }
    }

    @Test func `every row has a test, and every test exists`() throws {
        let tests = try self.testFiles()
        for line in try self.lines() {
            #expect(!line.tests.isEmpty, "row \(line.number)")
            for (suite, name) in line.tests {
                let text = try #require(tests[suite], "row \(line.number): \(suite)")
                #expect(text.contains("func `\(name)`("), "row \(line.number): \(suite): \(name)")
            }
        }
    }

    /// What the README shows of a tour was printed once. Here only that its rows, requests and services are still there.
    @Test func `the rows and requests that the README shows are those of the tour and of the services`() throws {
        let readme = try Self.text("README.md")
        let section = try #require(readme.components(separatedBy: "\n## What it looks like\n").dropFirst().first)
        let shown = section.components(separatedBy: "\n```").prefix(2).joined().split(separator: "\n")
        let rows = shown.compactMap { $0.firstMatch(of: #/^ ?([0-9]+) ✓ (.+)$/#) }
        #expect(rows.count >= 3)
        for row in rows {
            let words = TourRow.all.first { $0.number == Int(row.1) }?.words
            #expect(words == String(row.2), "row \(row.1)")
        }
        let requests = shown.compactMap { $0.firstMatch(of: #/^ +([A-Z]+) (\/[^ ?]+).* → [0-9]{3} ([a-z_]+)$/#) }
        #expect(requests.count >= 8)
        for request in requests {
            let folder = try #require(Self.folders[String(request.3).replacing("_", with: "-")], "\(request.3)")
            let operations = Self.operations(in: try Self.text("Services/\(folder)/openapi.yaml"))
            #expect(operations.contains { Self.fits("\(request.1) \(request.2)", $0) }, "\(request.0)")
        }
    }

    /// Whether a request is one of an operation: `GET /v1/lots/5` of `GET /v1/lots/{lot}`.
    private static func fits(_ request: String, _ operation: String) -> Bool {
        let (own, wanted) = (request.split(separator: "/"), operation.split(separator: "/"))
        return own.count == wanted.count && zip(own, wanted).allSatisfy { $0 == $1 || $1.hasPrefix("{") }
    }

    /// The operations of an OpenAPI document as this house writes it: `GET /v1/balance`.
    private static func operations(in document: String) -> Set<String> {
        var operations: Set<String> = []
        var path = ""
        for line in document.split(separator: "\n") {
            if line.hasPrefix("  /"), line.hasSuffix(":") { path = String(line.dropFirst(2).dropLast()) }
            let method = line.dropFirst(4).prefix { $0 != ":" }
            if line.hasPrefix("    "), ["get", "put", "post", "patch", "delete"].contains(method), !path.isEmpty {
                operations.insert("\(method.uppercased()) \(path)")
            }
        }
        return operations
    }

    /// The text of all files of tests by their names without `.swift`; files of one name are one.
    private func testFiles() throws -> [String: String] {
        var files: [String: String] = [:]
        let folder = "\(WalkThroughTests.repository)/Tests"
        let names = try #require(FileManager.default.enumerator(atPath: folder))
        for case let path as String in names where path.hasSuffix(".swift") {
            let name = (path as NSString).lastPathComponent.dropLast(".swift".count)
            files[String(name), default: ""] += try String(contentsOfFile: "\(folder)/\(path)", encoding: .utf8)
        }
        return files
    }

    @Test func `a line of the table is read as it is written`() throws {
        let line = try #require(
            Line("| 3 | «слова» | ledger `GET /v1/feed`, `GET /v1/lots`; support `GET /v1/faq` | A: `b c`; D: `e` |"))
        #expect(line.number == 3)
        #expect(line.routes.map(\.service) == ["ledger", "ledger", "support"])
        #expect(line.routes.map(\.operation) == ["GET /v1/feed", "GET /v1/lots", "GET /v1/faq"])
        #expect(line.tests.map(\.suite) == ["A", "D"])
        #expect(line.tests.map(\.name) == ["b c", "e"])
        #expect(Line("|---|---|---|---|") == nil)
        let document = "paths:\n  /v1/a:\n    get:\n      x: 1\n    put:\n"
        #expect(Self.operations(in: document) == ["GET /v1/a", "PUT /v1/a"])
    }
}

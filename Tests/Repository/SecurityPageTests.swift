import Testing

@testable import Host

/// SECURITY.md, and the guarantees of the top README: the files and tests that they name are there, and the limits that they
/// state are those that hold when nothing is set.
@Suite struct SecurityPageTests {
    /// The guarantees of the README begin and end here.
    private static let section = (start: "\n## Guarantees\n", end: "\n## ")

    private func pages() throws -> [String: Substring] {
        let readme = try SourceTree.text("README.md")
        let start = try #require(readme.firstRange(of: Self.section.start))
        let rest = readme[start.upperBound...]
        let end = try #require(rest.firstRange(of: Self.section.end))
        return ["SECURITY.md": try SourceTree.text("SECURITY.md")[...], "README.md": rest[..<end.lowerBound]]
    }

    /// The text of all files of tests, by the suites that are in them.
    private func suites() throws -> [String: String] {
        var suites: [String: String] = [:]
        for file in try SourceTree.files(in: ["Tests"], endings: [".swift"]) {
            for line in file.lines where line.hasPrefix("struct ") || line.hasPrefix("@Suite") {
                guard let match = line.firstMatch(of: #/struct ([A-Za-z]+Tests)\b/#) else { continue }
                suites[String(match.1), default: ""] += file.lines.joined(separator: "\n")
            }
        }
        return suites
    }

    @Test func `every test that is named exists`() throws {
        let suites = try self.suites()
        for (name, page) in try self.pages() {
            // In front of a backtick, between two, behind one: a suite, a colon, a test.
            let pieces = page.split(separator: "`", omittingEmptySubsequences: false)
            var count = 0
            for (place, piece) in pieces.enumerated() where place % 2 == 1 {
                guard piece.wholeMatch(of: #/[A-Za-z]+Tests/#) != nil else { continue }
                let suite = try #require(suites[String(piece)], "\(name): \(piece)")
                count += 1
                guard place + 2 < pieces.count, pieces[place + 1] == ": " else { continue }
                #expect(suite.contains("func `\(pieces[place + 2])`("), "\(name): \(piece): \(pieces[place + 2])")
            }
            #expect(count >= 10, "\(name)")
        }
    }

    @Test func `every file that is named exists`() throws {
        for (name, page) in try self.pages() {
            for (place, piece) in page.split(separator: "`", omittingEmptySubsequences: false).enumerated()
            where place % 2 == 1 {
                let path = piece.prefix { $0 != " " }
                guard ["Services/", "Shared/", "Tests/", "deploy/"].contains(where: path.hasPrefix) else { continue }
                #expect(SourceTree.exists(String(path)), "\(name): \(path)")
            }
        }
    }

    @Test func `every protection is held by a test`() throws {
        let protections = try SourceTree.text("SECURITY.md").split(separator: "\n### ").dropFirst()
        #expect(protections.count >= 20)
        for protection in protections {
            let text = protection.firstRange(of: "\n## ").map { protection[..<$0.lowerBound] } ?? protection
            #expect(text.contains("\n- `"), "\(protection.prefix { $0 != "\n" })")
        }
    }

    @Test func `the limits of the tables are those of the code`() throws {
        let settings = OpenAPITests.modules.flatMap { $0.settings }
        var count = 0
        for line in try SourceTree.text("SECURITY.md").split(separator: "\n") {
            guard let row = line.firstMatch(of: #/^\| `(CLUB_[A-Z_]+)` \| ([^ |]+) \|/#) else { continue }
            let setting = try #require(settings.first { $0.name == row.1 }, "\(row.1)")
            #expect(setting.fallback == String(row.2), "\(row.1)")
            count += 1
        }
        #expect(count >= 20)
    }
}

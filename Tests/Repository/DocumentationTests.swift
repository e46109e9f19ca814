import Testing

/// What the documentation of the bus names is there.
@Suite struct DocumentationTests {
    private static let folder = "Shared/JobQueue"

    private func pages() throws -> [SourceFile] {
        let pages = try SourceTree.files(in: [Self.folder], endings: [".md"])
        #expect(pages.count > 10)
        return pages
    }

    private func sql() throws -> String {
        try SourceTree.files(in: [Self.folder], endings: [".sql"]).filter { $0.path.contains("/Functions/") }
            .map { $0.lines.joined(separator: "\n") }.joined(separator: "\n")
    }

    @Test func `every test that a guarantee names exists`() throws {
        let page = SourceFile(
            path: "", text: try SourceTree.text("\(Self.folder)/JobQueue.docc/Guarantees.md"))
        let tests = Dictionary(
            try SourceTree.files(in: ["Tests"], endings: ["Tests.swift"]).map {
                (String($0.name.dropLast(6)), $0.lines.joined(separator: "\n"))
            }, uniquingKeysWith: { $0 + $1 })
        // - `SuiteTests`: `name of the test`
        let named = page.lines.filter { $0.hasPrefix("- `") }.map { $0.split(separator: "`") }.filter { $0.count == 4 }
        #expect(named.count > 20)
        for parts in named {
            let suite = try #require(tests[String(parts[1])], "\(parts[1])")
            #expect(suite.contains("func `\(parts[3])`("), "\(parts[1]): \(parts[3])")
        }
    }

    @Test func `every guarantee is held by a test`() throws {
        let page = try SourceTree.text("\(Self.folder)/JobQueue.docc/Guarantees.md")
        let guarantees = page.split(separator: "\n### ").dropFirst()
        #expect(guarantees.count >= 7)
        for guarantee in guarantees {
            #expect(guarantee.contains("\n- `"), "\(guarantee.prefix { $0 != "\n" })")
        }
    }

    @Test func `every function and every code that the pages name is in the schema`() throws {
        let sql = try self.sql()
        let tables = try SourceTree.files(in: [Self.folder], endings: [".sql"])
            .filter { $0.path.contains("/Migrations/") }.map { $0.lines.joined(separator: "\n") }
            .joined(separator: "\n")
        var count = 0
        for page in try self.pages() {
            let text = page.lines.joined(separator: "\n")
            for name in Self.words(in: text, after: "`queue.") {
                count += 1
                let isThere =
                    sql.contains("create function queue.\(name)(") || tables.contains("table queue.\(name) ")
                    || tables.contains("sequence queue.\(name);")
                #expect(isThere, "\(page.path): queue.\(name)")
            }
            for code in Self.words(in: text, after: "`QL") {
                #expect(sql.contains("errcode = 'QL\(code)'"), "\(page.path): QL\(code)")
            }
        }
        #expect(count > 20)
    }

    @Test func `every page and picture that a page points to is there`() throws {
        for page in try self.pages() {
            let text = page.lines.joined(separator: "\n")
            for name in Self.words(in: text, after: "<doc:") {
                #expect(SourceTree.exists("\(Self.folder)/JobQueue.docc/\(name).md"), "\(page.path): \(name)")
            }
        }
        #expect(SourceTree.exists("\(Self.folder)/JobQueue.docc/Resources/life-of-a-job.svg"))
    }

    /// The identifiers that follow these characters.
    private static func words(in text: String, after mark: String) -> [Substring] {
        text.split(separator: mark, omittingEmptySubsequences: false).dropFirst().map {
            $0.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
        }
    }
}

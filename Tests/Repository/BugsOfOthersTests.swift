import Testing

/// The list of bugs that others had (bugs-of-others.md beside this file), and the tests that show each to be absent.
@Suite struct BugsOfOthersTests {
    /// The numbers in the first column of the list: A1, A2, …
    private func listed() throws -> [String] {
        try SourceTree.text("Tests/Repository/bugs-of-others.md").split(separator: "\n")
            .filter { $0.hasPrefix("| A") }
            .compactMap { $0.split(separator: "|").first.map { $0.filter { $0 != " " } } }
    }

    /// The tests that begin with a number, by that number.
    private func named() throws -> [String: [String]] {
        var tests: [String: [String]] = [:]
        for file in try SourceTree.files(in: ["Tests"], endings: ["Tests.swift"])
        where file.name != "BugsOfOthersTests.swift" || !file.path.hasPrefix("Tests/Repository/") {
            for line in file.lines {
                guard let match = line.firstMatch(of: /func `(A[0-9]+):? ([^`]+)`/) else { continue }
                tests[String(match.1), default: []].append("\(file.path): \(match.2)")
            }
        }
        return tests
    }

    @Test func `the list is whole`() throws {
        #expect(try self.listed() == (1...25).map { "A\($0)" })
    }

    @Test func `each bug of others has a test that begins with its number, and no test has a number of its own`() throws
    {
        let tests = try self.named()
        for bug in try self.listed() { #expect(tests[bug]?.isEmpty == false, "\(bug) has no test") }
        #expect(Set(tests.keys).subtracting(try self.listed()).sorted() == [])
        #expect(tests.values.joined().count >= 50)
    }
}

import Testing

/// Migrations are forward only, and each schema has its own line of numbers.
@Suite struct MigrationTests {
    private func folders() throws -> [String: [SourceFile]] {
        let files = try SourceTree.files(in: ["Shared", "Services"], endings: [".sql"])
        return Dictionary(grouping: files.filter { $0.folders.last == "Migrations" }) {
            $0.folders.joined(separator: "/")
        }
    }

    @Test func `numbers are contiguous from 1 in every folder`() throws {
        let folders = try self.folders()
        #expect(folders.count >= 4)
        for (folder, files) in folders {
            let numbers = files.map { Int($0.name.prefix(4)) }.sorted { ($0 ?? 0) < ($1 ?? 0) }
            #expect(numbers == (1...files.count).map { Int?.some($0) }, "\(folder): \(files.map(\.name))")
        }
    }

    @Test func `every migration begins by saying why it is there`() throws {
        for file in try self.folders().values.joined() {
            let first = file.lines.first ?? ""
            #expect(first.hasPrefix("-- "), "\(file.path) does not begin with a comment")
            #expect(first.count > 20, "\(file.path): one line of why, please")
        }
    }

    /// A SECURITY DEFINER function without a fixed search_path runs whatever its caller put in front
    /// (CVE-2018-1058 and PostgreSQL's manual, CREATE FUNCTION, "Writing SECURITY DEFINER Functions Safely").
    @Test func `every security definer function fixes its search path`() throws {
        let functions = try SourceTree.files(in: ["Services"], endings: [".sql"])
            .filter { $0.folders.last == "Functions" }
        #expect(!functions.isEmpty)
        for file in try self.folders().values.joined() + functions {
            let text = file.lines.filter { !$0.drop { $0 == " " }.hasPrefix("--") }.joined(separator: "\n").lowercased()
            let definers = text.split(separator: "security definer", omittingEmptySubsequences: false).count - 1
            let fixed = text.split(separator: "set search_path", omittingEmptySubsequences: false).count - 1
            #expect(definers <= fixed, "\(file.path): \(definers) security definer, \(fixed) with a search path")
        }
    }

    @Test(arguments: ["idempotency_key", "redemption", "redemption_step"])
    func `a table that services share is the same in every schema that has one`(table: String) throws {
        var tables: [String: String] = [:]
        for file in try self.folders().values.joined() {
            let text = file.lines.joined(separator: "\n")
            guard let start = text.firstRange(of: ".\(table) (\n") else { continue }
            let body = text[start.upperBound...]
            guard let end = body.firstRange(of: ");") else { continue }
            tables[file.path] = body[..<end.lowerBound].split { $0 == " " || $0 == "\n" }.joined(separator: " ")
        }
        #expect(Set(tables.values).count <= 1, "\(tables.keys.sorted())")
    }
}

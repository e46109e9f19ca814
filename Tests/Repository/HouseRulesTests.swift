import Testing

/// A rule and a file that it is shown.
private struct Planted: Sendable, CustomTestStringConvertible {
    let rule: HouseRule
    let file: SourceFile

    init(_ rule: HouseRule, _ path: String, _ text: String) {
        self.rule = rule
        self.file = SourceFile(path: path, text: text)
    }

    var violations: [String] { self.rule.violations(self.file) }
    var testDescription: String { "\(self.rule.name): \(self.file.lines.first ?? "")" }
}

@Suite struct HouseRulesTests {
    @Test(arguments: HouseRule.all.map(\.name))
    func `the house keeps its rule`(name: String) throws {
        let rule = try #require(HouseRule.all.first { $0.name == name })
        let files = try SourceTree.files(endings: [".swift", ".sql", ".yaml", ".py", ".sh"])
        #expect(files.count > 50)
        let broken = files.flatMap(rule.violations)
        #expect(broken.isEmpty, "\(broken.joined(separator: "\n"))")
    }

    /// A rule that cannot fail is a wish: each is shown a file that breaks it.
    private static let planted: [Planted] = [
        Planted(.noSiblingImports, "Services/Auth/AuthModule.swift", "public import Ledger"),
        Planted(.noSiblingImports, "Shared/Host/Host.swift", "import Auth"),
        Planted(.sqlInStoresOnly, "Services/Auth/Operations/LogIn.swift", "    select id from auth.member"),
        Planted(
            .sqlInStoresOnly, "Services/Auth/API/Routes.swift",
            "let a = try await db.query(\n\"insert into x values (1)\""),
        Planted(.noPrint, "Services/Auth/API/Routes.swift", "        print(phone)"),
        Planted(.noCrashes, "Shared/Web/Problem.swift", "let a = try! decode()"),
        Planted(.noCrashes, "Shared/Web/Problem.swift", "        fatalError()"),
        Planted(.noFoundation, "Shared/Web/Problem.swift", "internal import Foundation"),
        Planted(.noSleepInTests, "Tests/AuthTests/ATests.swift", "try await Task.sleep(for: .seconds(1))"),
        Planted(.noUnownedTasks, "Shared/Web/Problem.swift", "        Task { await work() }"),
        Planted(.noBlockingCalls, "Shared/Postgres/Connection.swift", "PQexec(connection, text)"),
        Planted(.fileLength, "Shared/Web/Problem.swift", String(repeating: "\n", count: 401)),
        Planted(
            .functionLength, "Shared/Web/Problem.swift", "func a() {\n" + String(repeating: "  b\n", count: 70) + "}"),
        Planted(.noMachinePaths, "deploy/run.sh", "cd " + HouseRule.machineWords[0]),
        Planted(.noUnfinishedWords, "Shared/Web/Problem.swift", "let a = 1 /* " + HouseRule.unfinishedWords[0]),
    ]

    @Test(arguments: planted)
    fileprivate func `each rule catches what it forbids`(_ planted: Planted) {
        #expect(!planted.violations.isEmpty)
    }

    private static let allowed: [Planted] = [
        Planted(.noSiblingImports, "Services/Executables/club-auth/Main.swift", "import Auth"),
        Planted(.sqlInStoresOnly, "Services/Auth/Store/Members.swift", "    select id from auth.member"),
        Planted(.sqlInStoresOnly, "Services/Auth/API/Routes.swift", "    /// select the rows from the store"),
        Planted(.noPrint, "Services/Auth/API/Routes.swift", "self.blueprint(house)"),
        Planted(.noUnownedTasks, "Shared/Web/Problem.swift", "// Unowned: outlives the caller\nTask { await roll() }"),
        Planted(
            .functionLength, "Shared/Web/Problem.swift",
            "protocol A {\n" + String(repeating: "    func b()\n", count: 80) + "}"),
        Planted(
            .functionLength, "Shared/Web/Problem.swift", "func a() {\n" + String(repeating: "  b\n", count: 60) + "}"),
    ]

    @Test(arguments: allowed)
    fileprivate func `no rule forbids what it allows`(_ planted: Planted) {
        #expect(planted.violations.isEmpty)
    }

    @Test func `every folder of Shared and Services says what it is`() throws {
        for parent in ["Shared", "Services"] {
            for folder in try SourceTree.subfolders(of: parent)
            where !["Executables", "CPostgres", "CReactor"].contains(folder) {
                #expect(SourceTree.exists("\(parent)/\(folder)/README.md"), "\(parent)/\(folder) has no README.md")
            }
        }
    }

    @Test func `the manifest gives a service no way to depend on another`() throws {
        let manifest = try SourceTree.text("Package.swift")
        let lines = manifest.split(separator: "\n")
        let helpers = lines.filter { $0.contains("+ service(") }
        #expect(helpers.count >= 3)
        for line in helpers {
            let libraries = line.split(separator: "libraries:").dropFirst().joined()
            for service in HouseRule.services {
                #expect(!libraries.contains(service), "\(line)")
            }
        }
        let foundation = try #require(
            manifest.split(separator: "let foundation").dropFirst().first?.split(separator: "]").first)
        for service in HouseRule.services {
            #expect(!foundation.contains("\"\(service)\""), "foundation names \(service)")
        }
    }
}

import Foundation
import TestSupport
import Testing

/// Real receipts, through every service, against a computation that shares no code with the product.
@Suite struct GroceryReplayTests {
    private static let realData = "\(WalkThroughTests.repository)/../shared/data/grocery"

    /// What the independent script says, a household and its points a line.
    static func expectation(_ folder: String, _ options: [String]) async throws -> String {
        let script = "\(WalkThroughTests.repository)/Tests/Journeys/points_per_household.py"
        let result = try await ClubShell(data: "/nonexistent").run("python3", [script, folder] + options)
        try #require(result.code == 0, "\(result)")
        return result.output
    }

    private struct Summary: Decodable {
        let newReceipts: Int
        let knownReceipts: Int
        let newMembers: Int
        let lines: Int
        let points: Int64
        let errors: Int
    }

    private func replay(_ folder: String, _ options: [String], in system: TestSystem) async throws -> Summary {
        let result = try await system.shell.club(["replay", "grocery", folder, "--yes", "--json"] + options)
        try #require(result.code == 0, "\(result)")
        return try JSONDecoder().decode(Summary.self, from: Data(result.output.utf8))
    }

    private func balances(_ system: TestSystem) async throws -> String {
        let result = try await system.shell.club("ledger", "balances", "--by", "household", "--plain")
        try #require(result.code == 0, "\(result)")
        return result.output
    }

    private func check(_ folder: String, _ options: [String], in system: TestSystem) async throws -> Summary {
        let expected = try await Self.expectation(folder, options)
        let first = try await self.replay(folder, options, in: system)
        #expect(first.errors == 0)
        #expect(first.knownReceipts == 0)
        #expect(try await self.balances(system) == expected)
        let total = expected.split(separator: "\n").compactMap { Int64($0.split(separator: "\t").last ?? "") }
        #expect(first.points == total.reduce(0, +))

        let second = try await self.replay(folder, options, in: system)
        #expect(second.newReceipts == 0)
        #expect(second.newMembers == 0)
        #expect(second.knownReceipts == first.newReceipts)
        #expect(second.points == first.points)
        #expect(try await self.balances(system) == expected)

        let verification = try await system.shell.club("ledger", "verify")
        #expect(verification.code == 0, "\(verification)")
        #expect(verification.output.isEmpty)
        return first
    }

    /// What an auditor does with the books: takes a list of balances, a statement, a proof.
    private func audit(_ system: TestSystem) async throws {
        let club = system.shell
        let balances = try await club.club("ledger", "balances", "--plain").output.split(separator: "\n")
        let member = try #require(balances.first?.split(separator: "\t").first.map(String.init))
        let list = "/tmp/club-list-\(UUID().uuidString).csv"
        defer { try? FileManager.default.removeItem(atPath: list) }
        let rows = balances.map { $0.split(separator: "\t").joined(separator: ",") }
        try Data("member,available\n\(rows.joined(separator: "\n"))\n".utf8).write(to: URL(filePath: list))
        #expect(try await club.club("ledger", "reconcile", list).code == 0)
        try Data("member,available\n\(rows.dropFirst().joined(separator: "\n"))\n".utf8).write(to: URL(filePath: list))
        let reconciled = try await club.club("ledger", "reconcile", list)
        #expect(reconciled.code == 1)
        #expect(reconciled.output.hasPrefix("missing-in-file\t\(member)\t"))

        let statement = try await club.club("ledger", "statement", member)
        #expect(statement.code == 0)
        let line = try #require(statement.output.split(separator: "\r\n").dropFirst(2).first, "\(statement)")
        let transaction = try #require(line.split(separator: ",").last.map(String.init))
        let proof = try await eventually("the seal") {
            let proof = try await club.club("ledger", "proof", transaction)
            return proof.code == 0 ? proof.output : nil
        }
        try Data(proof.utf8).write(to: URL(filePath: list))
        let key = try #require(
            try await club.club("ledger", "keys").output.split(separator: "\t").first.map(String.init))
        let checked = try await club.club("ledger", "check-proof", list, "--key", key, "--json")
        #expect(checked.code == 0, "\(checked)")
        #expect(checked.output.contains("\"transaction\" : \"\(transaction)\""))
        #expect(try await club.club("ledger", "check-proof", list, "--key", "another").code == 1)
    }

    @Test func `points of every household are those of the script, and a second replay changes nothing`() async throws {
        try await GroceryFixture.run(households: 40, basketsEach: 10) { data in
            try await TestSystem.run { system in
                let summary = try await self.check(data.folder, [], in: system)
                #expect(summary.newReceipts == data.receipts)
                #expect(summary.lines == data.lines)
                try await self.audit(system)

                let text = try await system.shell.club("replay", "grocery", data.folder)
                #expect(text.output.contains("0 new receipts, \(data.receipts) already known"), "\(text)")
            }
        }
    }

    @Test func `a replay takes only the households and days that it was asked for`() async throws {
        let options = ["--households", "3-7", "--from", "2017-01-01", "--to", "2017-01-02", "--rate", "75"]
        try await GroceryFixture.run(households: 10, basketsEach: 30) { data in
            try await TestSystem.run { system in
                let summary = try await self.check(data.folder, options, in: system)
                #expect(summary.newReceipts == 5 * 24)
            }
        }
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: Self.realData + "/transactions.csv.gz")))
    func `a month of the real data comes out as the script says`() async throws {
        try await TestSystem.run { system in
            let options = ["--households", "1-600", "--from", "2017-01-01", "--to", "2017-02-01"]
            let summary = try await self.check(Self.realData, options, in: system)
            #expect(summary.newReceipts == 1386)
            #expect(summary.lines == 13_023)
        }
    }
}

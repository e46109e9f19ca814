import EmbeddedPostgres
import Foundation
import TestSupport
import Testing

@testable import Club

/// The same points to the last one, whatever is killed while receipts come in.
@Suite(.serialized) struct ReplayUnderFireTests {
    private static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    private struct Summary: Decodable {
        let newReceipts: Int
        let knownReceipts: Int
        let errors: Int
    }

    /// Plays receipts into a system, lets `harm` loose on it once the first points are there, and looks at what came out.
    private func survive(
        separate isSeparate: Bool, _ harm: @escaping @Sendable (TestSystem) async throws -> Void
    ) async throws {
        try await GroceryFixture.run(households: 60, basketsEach: 25) { data in
            let script = "\(Self.repository)/Tests/Journeys/points_per_household.py"
            let expected = try await ClubShell(data: "/nonexistent").run("python3", [script, data.folder])
            try #require(expected.code == 0, "\(expected)")
            try await TestSystem.run(separate: isSeparate) { system in
                async let replay = system.shell.club(
                    "replay", "grocery", data.folder, "--yes", "--json", "--concurrency", "4")
                try await self.waitForFirstPoints(system)
                try await harm(system)
                let result = try await replay
                try #require(result.code == 0, "\(result)")
                let summary = try JSONDecoder().decode(Summary.self, from: Data(result.output.utf8))
                #expect(summary.newReceipts + summary.knownReceipts == data.receipts)
                #expect(summary.errors == 0)
                try await self.inspect(system, expected: expected.output)
            }
        }
    }

    private func waitForFirstPoints(_ system: TestSystem) async throws {
        try await eventually(
            "the first points are posted", within: .seconds(60),
            isTrue: {
                let balances = try await system.shell.club("ledger", "balances", "--plain")
                return balances.code == 0 && balances.output.split(separator: "\n").contains { !$0.hasSuffix("\t0") }
            })
    }

    private func inspect(_ system: TestSystem, expected: String) async throws {
        let balances = try await system.shell.club("ledger", "balances", "--by", "household", "--plain")
        #expect(balances.output == expected, "\(balances.errors)")
        let verification = try await system.shell.club("ledger", "verify")
        #expect(verification.code == 0, "\(verification)")
        #expect(verification.output.isEmpty)
        // What the ledger has told others may still be on its way to them.
        try await eventually(
            "no job is left", within: .seconds(60),
            isTrue: {
                let stats = try await system.shell.club("queue", "stats", "--json")
                let queues = try JSONDecoder().decode([QueueCommand.Line].self, from: Data(stats.output.utf8))
                return queues.allSatisfy { $0.ready + $0.deferred + $0.running + $0.dead == 0 }
            })
    }

    @Test func `every service is killed in turn`() async throws {
        try await self.survive(separate: true) { system in
            let folder = SystemFolder(option: system.folder)
            for round in 0..<2 {
                for service in ["promotions", "ledger", "auth"] {
                    let before = try #require(folder.loadState()?.services.first { $0.name == service }?.process)
                    before.signal(SIGKILL)
                    try await eventually(
                        "\(service) is there again, round \(round)",
                        isTrue: {
                            guard let now = folder.loadState()?.services.first(where: { $0.name == service })?.process
                            else {
                                return false
                            }
                            return now != before && now.isAlive
                        })
                }
            }
        }
    }

    @Test func `the database stops at once in the middle and is started again`() async throws {
        try await self.survive(separate: false) { system in
            let postgres = try #require(try await EmbeddedPostgres.running(in: system.folder))
            for _ in 0..<2 {
                try await postgres.stop(.immediate)
                try await postgres.restart()
            }
        }
    }
}

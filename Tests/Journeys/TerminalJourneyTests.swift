import EmbeddedPostgres
import Foundation
import TestSupport
import Testing

@testable import Club

/// `club` on a terminal, with a person who types.
@Suite struct TerminalJourneyTests {
    /// What is typed, and when.
    private enum Typing {
        case shown(String, keys: String)
        case file(String, keys: String)

        var arguments: [String] {
            switch self {
            case .shown(let text, let keys): ["--type", text, keys]
            case .file(let path, let keys): ["--at", path, keys]
            }
        }
    }

    private static let controlC = "\\x03"

    private func onTerminal(
        _ typing: Typing..., club arguments: [String], in folder: String
    ) async throws -> ClubShell.Result {
        let script = "\(WalkThroughTests.repository)/Tests/Journeys/terminal.py"
        return try await ClubShell(data: folder).run(
            "python3", [script] + typing.flatMap(\.arguments) + ["--", "club"] + arguments)
    }

    /// Starts a system on a terminal, where something ends it, in a folder that is looked at afterwards.
    private func upAndInterrupted(
        _ flags: [String], at moment: (String) -> Typing, _ inspect: (ClubShell.Result, String) async throws -> Void
    ) async throws {
        let folder = "/tmp/club-terminal-\(UUID().uuidString.prefix(8).lowercased())"
        var result: ClubShell.Result
        repeat {
            let up = ["up", "--port", "\(try TestSystem.freePorts())"] + flags
            result = try await self.onTerminal(moment(folder), club: up, in: folder)
            // A port that another process has taken since it was found free makes another try.
        } while ["is taken", "cannot listen"].contains(where: result.output.contains)
        let failed: (any Error)?
        do {
            try await inspect(result, folder)
            failed = nil
        } catch {
            failed = error
        }
        // Whatever should be left after all.
        _ = try await ClubShell(data: folder).club("down")
        try FileManager.default.removeItem(atPath: folder)
        if let failed { throw failed }
    }

    private func expectNothingLeft(of folder: String) async throws {
        #expect(SystemFolder(option: folder).loadState() == nil)
        #expect(try await EmbeddedPostgres.running(in: folder) == nil)
        #expect(try TestSystem.processes(of: folder).isEmpty)
    }

    @Test(arguments: [["--demo"], ["--separate"]])
    func `Ctrl-C ends a whole system in order, and is no failure`(flags: [String]) async throws {
        let ready: (String) -> Typing = { _ in .shown("Ctrl-C stops everything.", keys: Self.controlC) }
        try await self.upAndInterrupted(flags, at: ready) { result, folder in
            #expect(result.code == 0, "\(result)")
            #expect(result.output.contains("ledger: http://127.0.0.1:"), "\(result)")
            #expect(result.output.contains("Stopping …"), "\(result)")
            try await self.expectNothingLeft(of: folder)
        }
    }

    @Test func `Ctrl-C while the database is being made ends in order too`() async throws {
        let making: (String) -> Typing = { .file("\($0)/postgres/data.new", keys: Self.controlC) }
        try await self.upAndInterrupted([], at: making) { result, folder in
            #expect(result.code == 0, "\(result)")
            try await self.expectNothingLeft(of: folder)
            // What it made is whole.
            #expect(FileManager.default.fileExists(atPath: "\(folder)/postgres/data/PG_VERSION"))
        }
    }

    @Test func `a replay asks, keeps the receipts' distances, and shows how far it is`() async throws {
        try await GroceryFixture.run(households: 1, basketsEach: 3) { data in
            try await TestSystem.run { system in
                // The three are an hour apart: here half a second.
                let replay = ["replay", "grocery", data.folder, "--speed", "7200"]
                let question = "Post 3 receipts of 1 households into \(system.folder)? [y/N] "
                let refused = try await self.onTerminal(
                    .shown(question, keys: "n\\n"), club: replay, in: system.folder)
                #expect(refused.code == 64 && refused.output.contains("Nothing was done."), "\(refused)")

                let result = try await self.onTerminal(
                    .shown(question, keys: "y\\n"), club: replay, in: system.folder)
                #expect(result.code == 0, "\(result)")
                let bar = String(repeating: "█", count: 30)
                let nothing = String(repeating: "·", count: 30)
                #expect(result.output.contains("\rReceipts  [\(nothing)] 0 % 0/3\u{1B}[K"), "\(result)")
                #expect(result.output.contains("\rMembers  [\(bar)] 100 % 1/1\u{1B}[K"), "\(result)")
                #expect(result.output.contains("\rReceipts  [\(bar)] 100 % 3/3\u{1B}[K"), "\(result)")
                #expect(result.output.contains("receipts    3 new receipts, 0 already known\r\n"), "\(result)")
                let time = try #require(result.output.firstMatch(of: /\btime +([0-9.]+) s/))
                // As fast as possible it would not be so slow for certain; paced it cannot be faster.
                #expect(try #require(Double(time.output.1)) >= 1)

                // In a pipe nobody asks, and nothing is drawn.
                let piped = try await system.shell.club(replay)
                #expect(piped.code == 0 && piped.errors.isEmpty, "\(piped)")
            }
        }
    }
}

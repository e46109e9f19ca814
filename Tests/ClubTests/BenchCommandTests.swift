import ArgumentParser
import TestSupport
import Testing

@testable import Club

@Suite struct BenchCommandTests {
    @Test func `what is asked of the measurements is handed on`() throws {
        let command = try BenchCommand.Queue.parse(["--json", "--only", "A,C", "--rounds", "2", "--seconds", "5"])
        #expect(command.options.arguments == ["--json", "--only", "A,C", "--rounds", "2", "--seconds", "5"])
        #expect(try BenchCommand.Queue.parse([]).options.arguments.isEmpty)
    }

    @Test func `the ledger's sizes are handed on`() throws {
        let arguments = ["--json", "--members", "10", "1000", "--postings", "0", "--clients", "8", "--expiring", "7"]
        #expect(try BenchCommand.Ledger.parse(arguments).arguments == arguments)
        #expect(try BenchCommand.Ledger.parse([]).arguments.isEmpty)
        #expect(throws: (any Error).self) { try BenchCommand.Ledger.parse(["--members", "0"]) }
    }

    @Test(arguments: [["--rounds", "0"], ["--seconds", "-1"], ["--nonsense"]])
    func `what makes no sense is refused`(arguments: [String]) {
        #expect(throws: (any Error).self) { try BenchCommand.Queue.parse(arguments) }
    }

    @Test func `measurements that were not built are said to be missing, and how to build them`() {
        let program = BenchmarkProgram(path: "/nonexistent/benchmarks")
        let failure = #expect(throws: CommandFailure.self) { try program.replaceThisOne(arguments: []) }
        #expect(failure?.code == .unavailable)
        #expect(failure?.message.contains("deploy/bench") == true)
    }

    @Test func `the command becomes the program beside it, which knows the targets`() async throws {
        let result = try await ClubShell(data: "/nonexistent").club("bench", "queue", "--list")
        #expect(result.code == 0, "\(result)")
        let letters = result.output.split(separator: "\n").compactMap { $0.split(separator: "\t").first }
        #expect(letters.contains("A") && letters.contains("M"), "\(result)")
    }
}

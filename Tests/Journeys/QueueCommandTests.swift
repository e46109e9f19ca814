import Foundation
import TestSupport
import Testing

/// What an operator learns of the queue from the command line, with a system that runs.
@Suite struct QueueCommandTests {
    private struct Line: Decodable {
        let job: Int64
        let kind, place: String
    }

    private struct Reason: Decodable { let code: String }

    @Test func `an operator finds a job that waits, asks why, and ends it`() async throws {
        try await TestSystem.run { system in
            let shell = system.shell
            let paused = try await shell.club("queue", "pause", "auth.sms", "--reason", "the gateway is down")
            try #require(paused.code == 0, "\(paused)")
            let address = try await shell.club("url", "auth").output.trimmingCharacters(in: .whitespacesAndNewlines)
            let asked = try await shell.run(
                "curl",
                [
                    "-fsS", "-X", "POST", "-H", "Content-Type: application/json", "\(address)/v1/challenges", "-d",
                    #"{"phone": "+79161234567"}"#,
                ])
            try #require(asked.code == 0, "\(asked)")
            let listed = try await shell.club("queue", "jobs", "auth.sms", "--json")
            let job = try #require(try JSONDecoder().decode([Line].self, from: Data(listed.output.utf8)).first)
            #expect(job.place == "ready")
            let why = try await shell.club("queue", "why", "\(job.job)")
            #expect(why.output.contains("paused"), "\(why)")
            let reasons = try await shell.club("queue", "why", "\(job.job)", "--json")
            #expect(try JSONDecoder().decode([Reason].self, from: Data(reasons.output.utf8)).map(\.code) == ["paused"])
            #expect(try await shell.club("queue", "cancel", "\(job.job)", "--reason", "test").code == 0)
            let shown = try await shell.club("queue", "show", "\(job.job)")
            #expect(shown.output.contains("cancelled"), "\(shown)")
            // It has ended: a second time there is nothing to end, and nothing to wait for.
            #expect(try await shell.club("queue", "cancel", "\(job.job)").code == 1)
            #expect(try await shell.club("queue", "why", "\(job.job)").output.contains("cancelled"))
            #expect(try await shell.club("queue", "why", "1").code == 64)
            #expect(try await shell.club("queue", "skip", "auth.sms", "\(job.job)").code == 64)
            #expect(try await shell.club("queue", "keys", "auth.sms", "--json").output.contains("[\n\n]"))
        }
    }
}

import Foundation
import TestSupport
import Testing

/// The long mix in short: `deploy/test chaos --minutes 10` runs it at length.
@Suite(.serialized) struct QueueMixTests {
    private struct Verdict: Decodable {
        let enqueued, effects, lost, doubled, misordered, deadlocks, left: Int
        let violations: [String]
        let worstRescue: Double
    }

    @Test func `nothing is lost, doubled or misordered while workers, sessions and the server are harmed`() async throws
    {
        let result = try await ClubShell(data: "/nonexistent").run(
            "queue-chaos", ["--minutes", "0.4", "--seed", "7", "--json"])
        let verdict = try #require(
            try? JSONDecoder().decode(Verdict.self, from: Data(result.output.utf8)), "\(result)")
        #expect(result.code == 0, "\(result)")
        #expect(verdict.enqueued > 100)
        #expect(verdict.effects == verdict.enqueued)
        #expect(verdict.lost == 0 && verdict.doubled == 0 && verdict.misordered == 0 && verdict.left == 0)
        #expect(verdict.violations == [])
    }
}

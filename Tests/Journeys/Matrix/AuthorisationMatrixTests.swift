import Foundation
import TestSupport
import Testing
import Web

@testable import Club

/// Every route of every service, knocked at by everybody: Matrix/authorisation.txt says what must come of it.
@Suite struct AuthorisationMatrixTests {
    /// What changes who the caller is comes last, in this order.
    private static let last = [
        "auth PUT /v1/me/spending-lock", "auth DELETE /v1/sessions/current", "auth DELETE /v1/me/sessions",
        "auth DELETE /v1/staff/sessions/current",
    ]
    /// Of those, what ends the session of a member who is needed again.
    private static let endsSession = "auth DELETE /v1/sessions/current"
    /// Reading comes before changing, and changing before deleting.
    private static let methods = ["GET", "PUT", "PATCH", "POST", "DELETE"]

    @Test(.oncePerRun) func `every route lets in whom the table says, and nobody else`() async throws {
        let table = try AuthorisationTable.read()
        try await TestSystem.run(demo: true, settings: Crowd.settings) { system in
            let crowd = try await Crowd(Programme(system))
            let belongings = try await Belongings(of: crowd.member, in: crowd)
            for line in table.lines.sorted(by: { Self.order($0) < Self.order($1) }) {
                let found = try await self.knock(line, belongings, crowd)
                let expected = AuthorisationTable.text(line, line.verdicts)
                let seen = AuthorisationTable.text(line, found)
                #expect(found == line.verdicts, "\nthe table:  \(expected)\nthe system: \(seen)")
            }
        }
    }

    private static func order(_ line: AuthorisationTable.Line) -> Int {
        (1 + (Self.last.firstIndex(of: line.route) ?? -1)) * 10 + (Self.methods.firstIndex(of: line.method) ?? 0)
    }

    private func knock(
        _ line: AuthorisationTable.Line, _ belongings: Belongings, _ crowd: Crowd
    ) async throws -> [Caller: AuthorisationTable.Verdict] {
        // The session that asks is needed again.
        let path = belongings.path(line, except: ["session"])
        let body: JSON? = ["POST", "PUT", "PATCH"].contains(line.method) ? [:] : nil
        var found: [Caller: AuthorisationTable.Verdict] = [:]
        for caller in Caller.all {
            let answer = try await crowd.send(
                line.method, line.part, path, body, as: caller, spare: line.route == Self.endsSession)
            #expect(answer.status < 500, "\(line.route) by \(caller): \(answer.text)")
            found[caller] = .init(status: answer.status)
        }
        return found
    }
}

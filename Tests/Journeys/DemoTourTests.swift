import Foundation
import TestSupport
import Testing

@testable import Club

/// `club demo tour` on a system as `club up --demo` starts it.
@Suite struct DemoTourTests {
    private struct Report: Decodable {
        struct Row: Decodable {
            struct Step: Decodable {
                let method: String
                let service: String
                let path: String
                let essence: String
            }

            let row: Int
            let words: String
            let steps: [Step]
            let problem: String?
            let passed: Bool
        }

        let rows: [Row]
        let passed: Int
        let failed: Int
    }

    private func tour(_ options: String..., on system: TestSystem) async throws -> (code: Int32, report: Report) {
        let result = try await system.shell.club(["demo", "tour", "--json"] + options)
        let report = try #require(
            try? JSONDecoder().decode(Report.self, from: Data(result.output.utf8)), "\(result)")
        return (result.code, report)
    }

    @Test func `the tour walks through all rows, again on the same system, and says which row fails`() async throws {
        try await TestSystem.run(demo: true) { system in
            let first = try await self.tour(on: system)
            for row in first.report.rows {
                #expect(row.passed, "\(row.row) \(row.words): \(row.problem ?? "")")
                #expect(!row.steps.isEmpty && row.steps.allSatisfy { !$0.essence.isEmpty }, "\(row.row)")
            }
            #expect(first.code == 0)
            #expect(first.report.rows.map(\.row) == Array(1...65).filter { $0 != 55 })
            #expect(first.report.passed == 64 && first.report.failed == 0)

            // A new member each time, and a row alone.
            let again = try await self.tour("--row", "6", "--row", "13", "--row", "51", on: system)
            #expect(again.code == 0, "\(again.report.rows.compactMap(\.problem))")
            #expect(again.report.rows.map(\.row) == [6, 13, 51])

            // A partner that refuses shows in its row, and in the exit code.
            let partner = try await system.shell.club("url", "partner_simulator")
            let address = partner.output.trimmingCharacters(in: .whitespacesAndNewlines)
            let told = try await HTTPTestClient(address).post("/letual/control/faults", text: #"{"fault": "reject"}"#)
            #expect(told.status == 204)
            let refused = try await self.tour("--row", "7", "--row", "23", on: system)
            #expect(refused.code == 1)
            #expect(refused.report.rows.map(\.passed) == [false, true])
            let problem = try #require(refused.report.rows.first?.problem)
            #expect(problem.contains("обмен не состоялся"), "\(problem)")

            let verified = try await system.shell.club("ledger", "verify")
            #expect(verified.code == 0, "\(verified)")
        }
    }

    @Test func `a demo that is made again is the same, and its colleagues log in`() async throws {
        try await TestSystem.run(demo: true) { system in
            let colleagues = DemoColleagues(SystemFolder(option: system.folder))
            let before = colleagues.all()
            #expect(Set(before.map(\.role)).count == 11)
            let made = try await system.shell.club("demo", "--json")
            #expect(made.code == 0, "\(made)")
            #expect(made.output.contains(#""newReceipts" : 0"#), "\(made)")
            #expect(colleagues.all().map(\.password) == before.map(\.password))
            let token = try await system.shell.club("demo", "token", "auditor")
            #expect(token.code == 0, "\(token)")
            let auth = try await system.shell.club("url", "auth").output
                .trimmingCharacters(in: .whitespacesAndNewlines)
            let client = HTTPTestClient(auth)
                .authorized(token.output.trimmingCharacters(in: .whitespacesAndNewlines))
            let log = try await client.get("/v1/staff/access-log")
            #expect(log.status == 200, "\(log.text)")
            let status = try await system.shell.club("status")
            #expect(status.code == 0 && status.output.contains("the demo's partners"), "\(status)")
        }
    }
}

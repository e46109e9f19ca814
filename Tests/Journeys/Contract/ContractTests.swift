import Auth
import Foundation
import Kernel
import TestSupport
import Testing
import Web

@testable import Club

/// Schemathesis makes requests of each openapi.yaml, good ones and bad ones, and holds every answer against it.
@Suite struct ContractTests {
    /// Where `deploy/test` puts it.
    private static let programs = "\(WalkThroughTests.repository)/.build-tools/schemathesis"
    private static let module = "schemathesis.cli"

    private static func hasSchemathesis() async -> Bool {
        let shell = ClubShell(data: "")
        let found = try? await shell.run(
            "env", ["PYTHONPATH=\(Self.programs)", "python3", "-c", "import schemathesis"])
        return found?.code == 0
    }

    /// What ends the session that asks has a run of its own, at the end.
    private static let last = [
        "/v1/sessions/current", "/v1/me/sessions", "/v1/staff/sessions/current", "/v1/me/spending-lock",
    ]
    /// What is asked for here are credentials, which nobody guesses.
    private static let unguessed: Set = [
        "POST /v1/staff/sessions", "POST /v1/staff/tokens", "POST /v1/tokens", "PUT /v1/staff/me/password",
    ]

    /// Letters are made by Tests/SupportTests, and signatures by partners.
    private static let others = ["/v1/inbound-mail", "/partner/v1/{partner}/notifications"]

    @Test(
        .oncePerRun,
        .enabled("schemathesis is not installed: deploy/test does it where it may") { await Self.hasSchemathesis() })
    func `no service fails or answers outside its contract, whatever it is asked`() async throws {
        try await TestSystem.run(demo: true, settings: Crowd.settings) { system in
            try await self.check(system, Crowd(Programme(system)))
        }
    }

    private func check(_ system: TestSystem, _ crowd: Crowd) async throws {
        let belongings = try await Belongings(of: crowd.member, in: crowd)
        let everything = try await self.colleagueForEverything(crowd)
        var runs: [(part: ServicePart, settings: String, document: String)] = []
        for part in ServicePart.services {
            let run = SchemathesisRun(
                part: part, crowd: crowd, colleague: everything, belongings: belongings, folder: system.folder)
            let (settings, document) = try await run.prepare()
            runs.append((part, settings, document))
        }
        for run in runs {
            try await self.check(
                run.part, run.settings, run.document, in: system, "--exclude-path", Self.last + Self.others)
        }
        let auth = try #require(runs.first { $0.part == .auth })
        try await self.check(.auth, auth.settings, auth.document, in: system, "--include-path", Self.last)
    }

    private func check(
        _ part: ServicePart, _ settings: String, _ document: String, in system: TestSystem, _ filter: String,
        _ paths: [String]
    ) async throws {
        let command = ["PYTHONPATH=\(Self.programs)", "python3", "-m", Self.module, "--config-file", settings, "run"]
        let result = try await system.shell.run(
            "env", command + [document] + SchemathesisRun.options + paths.flatMap { [filter, $0] },
            in: system.folder)
        #expect(result.code == 0, "\(part): \(result.output.suffix(20_000))\n\(result.errors.suffix(2000))")
        // Nothing but refusals would prove nothing.
        guard filter == "--exclude-path" else { return }
        #expect(Set(Self.refused(in: result.output)).subtracting(Self.unguessed) == [], "\(part)")
    }

    /// The operations that let nobody in: a list below a line that says so.
    private static func refused(in output: String) -> [String] {
        let lines = output.split(separator: "\n", omittingEmptySubsequences: false)
        guard let start = lines.firstIndex(where: { $0.hasPrefix("Authentication failed:") }) else { return [] }
        return lines[start...].prefix { !$0.hasPrefix("💡") }.filter { $0.hasPrefix("  - ") }
            .map { String($0.dropFirst(4)) }
    }

    /// One colleague with every role. Who may not do something is the matter of the table of who may.
    private func colleagueForEverything(_ crowd: Crowd) async throws -> PersonSession {
        let roles = StaffRole.allCases.flatMap { ["--role", $0.rawValue] }
        let result = try await crowd.programme.shell.club(
            ["staff", "add", "everything", "--name", "Сотрудник «всё»", "--json"] + roles)
        try #require(result.code == 0, "\(result)")
        let added = try JSONDecoder().decode(JSON.self, from: Data(result.output.utf8))
        let sysadmin = try crowd.colleague(.sysadmin)
        let waiting = try await sysadmin.ask("GET", .auth, "/v1/staff/role-changes")["items"]?.items ?? []
        for change in waiting.compactMap({ $0["change"]?.text }) {
            let path = "/v1/staff/role-changes/\(change)/decision"
            try await sysadmin.ask("PUT", .auth, path, ["approved": true], gives: 204)
        }
        let address = try #require(added["authenticator"]?.text)
        let app = try #require(Authenticator(address: address))
        let credentials: JSON = [
            "login": "everything", "password": try #require(added["password"]),
            "code": .text(app.code(at: SystemClock().now)),
        ]
        let tokens = try await crowd.send("POST", .auth, "/v1/staff/sessions", credentials, as: .nobody)
        try #require(tokens.status == 201, "\(tokens.text)")
        return try PersonSession(crowd.programme, renewal: "/v1/staff/tokens", tokens: tokens.json())
    }
}

/// One run over one service.
private struct SchemathesisRun {
    let part: ServicePart
    let crowd: Crowd
    let colleague: PersonSession
    let belongings: Belongings
    /// Where its settings go.
    let folder: String

    /// The same requests each time, of bounded number.
    static let options = [
        "--checks",
        "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
            + "response_headers_conformance",
        "--phases", "examples,coverage,fuzzing", "--max-examples", "5", "--generation-deterministic", "--workers", "1",
        "--continue-on-failure",
        "--max-failures", "40", "--suppress-health-check", "all", "--request-timeout", "60", "--no-shrink",
    ]

    /// Writes the settings.
    /// - Returns: their file, and the address of the document.
    func prepare() async throws -> (settings: String, document: String) {
        let contract = try await Contract(of: self.part, in: self.crowd.programme)
        let member = await self.crowd.member.session.token
        let staff = await self.colleague.token
        let issued = try await self.crowd.programme.club(
            "till-key", "issue", "--scope", "receipts", "--scope", "spend", "--scope", "certificates", "--label",
            "любая")
        let till = try #require(issued["key"]?.text)
        let tokens = [
            "accessToken": member, "member": member, "staffToken": staff, "staff": staff, "colleague": staff,
            "till": till,
        ]
        var lines: [String] = []
        for scheme in Set(contract.operations.values.flatMap(\.schemes)).sorted() {
            // A signature is of one request, and the mail server's key is not ours to know.
            guard let token = tokens[scheme] else { continue }
            lines += ["[auth.openapi.\(scheme)]", "bearer = \"\(token)\""]
        }
        lines.append("[parameters]")
        // The session that asks is needed again.
        for (kind, id) in self.belongings.ids where kind.part == self.part && kind.parameter != "session" {
            lines.append("\"path.\(kind.parameter)\" = \"\(id)\"")
        }
        let file = "\(self.folder)/schemathesis-\(self.part.rawValue).toml"
        try lines.joined(separator: "\n").write(toFile: file, atomically: true, encoding: .utf8)
        return (file, try self.crowd.programme.address(of: self.part) + "/openapi.yaml")
    }
}

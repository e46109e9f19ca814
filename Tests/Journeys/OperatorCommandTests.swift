import Foundation
import Kernel
import TestSupport
import Testing

@testable import Auth
@testable import Club

/// What an operator does at the machine with a system that runs: colleagues, e-mails of the development gateway, keys of tills.
@Suite struct OperatorCommandTests {
    /// One system for all three: each takes a while to start.
    @Test func `colleagues, e-mails and the keys of tills are looked after by commands`() async throws {
        try await TestSystem.run { system in
            let programme = try await Programme(system)
            try await self.staff(system, programme)
            try await self.mail(system, programme)
            try await self.tillKeys(system, programme)
        }
    }

    /// Colleagues are made, get roles by two people, and are disabled at once.
    private func staff(_ system: TestSystem, _ programme: Programme) async throws {
        let founder = try await Self.add("founder", "Основатель О. О.", "sysadmin", to: programme)
        #expect(founder["roles"] == ["sysadmin"] && founder["waiting"]?.items.isEmpty == true)
        let clerk = try await Self.add("orlova", "Орлова А. П.", "support", to: programme)
        #expect(clerk["roles"]?.items.isEmpty == true)
        let waiting = try await programme.club("staff", "roles").items
        let change = try #require(waiting.first?["change"]?.text)
        #expect(waiting.count == 1 && waiting[0]["login"] == "orlova" && waiting[0]["role"] == "support")
        // Who decides proves it with a code of the moment, and a wrong one decides nothing.
        let decide = ["staff", "decide", change, "--as", "founder", "--code"]
        #expect(try await system.shell.club(decide + ["000000"]).code == 1)
        #expect(try await system.shell.club(["staff", "decide", change, "--as", "orlova", "--code", "0"]).code == 1)
        let decided = try await system.shell.club(decide + [try Self.code(of: founder)])
        #expect(decided.code == 0, "\(decided)")
        let listed = try await programme.club("staff", "list").items
        let mine = try #require(listed.first { $0["login"] == "orlova" })
        #expect(mine["roles"] == ["support"] && mine["active"] == true)
        let session = try await Self.logIn(clerk, in: programme)
        #expect(try await session.send("GET", .auth, "/v1/staff/colleagues").problem == "role-missing")
        #expect(try await system.shell.club("staff", "add", "orlova", "--name", "Другая").code == 1, "taken")
        #expect(try await system.shell.club("staff", "add", "Orlova!", "--name", "Другая").code == 64)

        #expect(try await programme.club("staff", "roles", "orlova", "--take", "support").items.isEmpty)
        #expect(try await system.shell.club("staff", "roles", "orlova", "--take", "support").code == 1)
        let renewed = try await system.shell.club("staff", "reset-totp", "orlova")
        #expect(renewed.code == 0 && renewed.output.hasPrefix("otpauth://"), "\(renewed)")
        #expect(try await system.shell.club("staff", "disable", "orlova").code == 0)
        let left = try await programme.club("staff", "list").items.first { $0["login"] == "orlova" }
        #expect(left?["active"] == false)
        #expect(try await system.shell.club("staff", "disable", "nobody").code == 1)
    }

    /// A colleague as the operator makes one: the first password and the authenticator's address are printed once.
    private static func add(
        _ login: String, _ name: String, _ role: String, to programme: Programme
    ) async throws -> JSON {
        let result = try await programme.shell.club("staff", "add", login, "--name", name, "--role", role, "--json")
        try #require(result.code == 0, "\(result)")
        return try JSONDecoder().decode(JSON.self, from: Data(result.output.utf8))
    }

    private static func logIn(_ added: JSON, in programme: Programme) async throws -> PersonSession {
        let tokens = try await programme.ask(
            "POST", .auth, "/v1/staff/sessions",
            [
                "login": try #require(added["login"]), "password": try #require(added["password"]),
                "code": .text(try Self.code(of: added)),
            ], gives: 201)
        return try PersonSession(programme, renewal: "/v1/staff/tokens", tokens: tokens)
    }

    /// What the authenticator shows now.
    private static func code(of added: JSON) throws -> String {
        let address = try #require(added["authenticator"]?.text)
        return try #require(Authenticator(address: address)).code(at: SystemClock().now)
    }

    /// An e-mail of the development gateway is found by its address.
    private func mail(_ system: TestSystem, _ programme: Programme) async throws {
        let vera = try await Customer.join(
            programme, phone: "+79161234567", name: ["last": "Иванова", "first": "Вера"])
        try await vera.ask("POST", .auth, "/v1/me/email", ["email": "vera@example.org"], gives: 202)
        let mail = try await eventually("the e-mail is there") {
            try await programme.club("mail", "vera@example.org").items.first
        }
        let text = try #require(mail["text"]?.text)
        #expect(mail["to"] == "vera@example.org" && text.contains { $0.isNumber })
        #expect(try await programme.club("mail", "other@example.org").items.isEmpty)
        #expect(try await programme.club("mail", "--limit", "1").items.count == 1)
        let table = try await system.shell.club("mail")
        #expect(table.code == 0 && table.output.contains("vera@example.org"))
        #expect(try await system.shell.club("mail", "vera").code == 64)
        #expect(try await system.shell.club("mail", "--limit", "0").code == 64)
    }

    /// A till's key gets a successor; both are good for a while, or the old one for no time at all.
    private func tillKeys(_ system: TestSystem, _ programme: Programme) async throws {
        @Sendable func isGood(_ key: JSON) async throws -> Bool {
            let answer = try await programme.send("GET", .promotions, "/pos/v1/keys", token: #require(key["key"]?.text))
            return answer.status == 200
        }
        let first = try await programme.club("till-key", "issue", "--scope", "receipts", "--label", "касса 1")
        #expect(try await isGood(first))
        let id = try #require(first["id"]?.text)
        let second = try await programme.club("till-key", "rotate", id, "--overlap", "1")
        #expect(second["id"] != first["id"])
        let areBothGood = try await (isGood(first), isGood(second))
        #expect(areBothGood.0 && areBothGood.1)
        #expect(try await system.shell.club("till-key", "rotate", id).code == 1, "it has a successor")
        let third = try await programme.club(
            "till-key", "rotate", #require(second["id"]?.text), "--overlap", "0")
        #expect(try await isGood(third))
        try await eventually("the one before is refused") { try await !isGood(second) }
        #expect(try await isGood(first), "its day is not over")
        #expect(try await system.shell.club("till-key", "rotate", "0123456789abcdef").code == 1)
        #expect(try await system.shell.club("till-key", "rotate", id, "--overlap", "31").code == 64)
    }
}

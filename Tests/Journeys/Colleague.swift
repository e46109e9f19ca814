import Foundation
import Kernel
import TestSupport
import Testing

@testable import Auth

/// A colleague with an authenticator, logged in.
struct Colleague: Sendable {
    let session: PersonSession

    /// A colleague as the operator makes one: the first password and the authenticator's address are printed once.
    /// - Returns: what logs the colleague in.
    static func add(_ login: String, _ name: String, roles: [String], to programme: Programme) async throws -> JSON {
        let options = roles.flatMap { ["--role", $0] }
        let result = try await programme.shell.club(["staff", "add", login, "--name", name, "--json"] + options)
        try #require(result.code == 0, "\(result)")
        return try JSONDecoder().decode(JSON.self, from: Data(result.output.utf8))
    }

    /// Logs in with the password and the code of the moment.
    init(_ added: JSON, in programme: Programme) async throws {
        let address = try #require(added["authenticator"]?.text)
        let secret = try #require(URLComponents(string: address)?.queryItems?.first { $0.name == "secret" }?.value)
        let step = TimeCodeSecret.step(at: SystemClock().now)
        let tokens = try await programme.ask(
            "POST", .auth, "/v1/staff/sessions",
            [
                "login": try #require(added["login"]), "password": try #require(added["password"]),
                "code": .text(TimeCodeSecret(bytes: Self.bytes(base32: secret)).code(at: step)),
            ], gives: 201)
        self.session = try PersonSession(programme, renewal: "/v1/staff/tokens", tokens: tokens)
    }

    /// RFC 4648, 6, as an authenticator reads it.
    private static func bytes(base32 text: String) -> [UInt8] {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
        var (bytes, held, bits): ([UInt8], Int, Int) = ([], 0, 0)
        for value in text.compactMap(alphabet.firstIndex) {
            held = (held << 5 | value) & 0xfff
            bits += 5
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(held >> bits & 0xff))
            }
        }
        return bytes
    }
}

/// The colleagues of the story. Each has the one role that the name says; a second person has given it.
struct Colleagues: Sendable {
    let editor: Colleague
    let approver: Colleague
    let partnerManager: Colleague
    let support: Colleague

    private static let roles = ["promo-editor", "promo-approver", "partner-manager", "support"]

    init(in programme: Programme) async throws {
        let founder = try await Colleague(
            Colleague.add("founder", "Основатель О. О.", roles: ["sysadmin"], to: programme), in: programme)
        var added: [JSON] = []
        for role in Self.roles {
            added.append(try await Colleague.add(role, "Сотрудник «\(role)»", roles: [role], to: programme))
        }
        let waiting = try await founder.session.ask("GET", .auth, "/v1/staff/role-changes")["items"]?.items ?? []
        #expect(waiting.count == Self.roles.count)
        for change in waiting.compactMap({ $0["change"]?.text }) {
            let path = "/v1/staff/role-changes/\(change)/decision"
            try await founder.session.ask("PUT", .auth, path, ["approved": true], gives: 204)
        }
        self.editor = try await Colleague(added[0], in: programme)
        self.approver = try await Colleague(added[1], in: programme)
        self.partnerManager = try await Colleague(added[2], in: programme)
        self.support = try await Colleague(added[3], in: programme)
    }
}

import FoundationEssentials
import HTTPTypes
import HummingbirdTesting
import Kernel
import Postgres
import TestSupport
import Testing
import Web

@testable import Auth

/// A colleague of a test, with what they carry in their pocket.
struct Colleague: Sendable {
    let id: Staff.ID
    let login: StaffLogin
    let password: String
    let secret: TimeCodeSecret

    /// The code that the authenticator shows.
    func code(at now: Timestamp) -> String { self.secret.code(at: TimeCodeSecret.step(at: now)) }

    func body(at now: Timestamp) -> String {
        #"{"login":"\#(self.login)","password":"\#(self.password)","code":"\#(self.code(at: now))"}"#
    }
}

struct StaffTokensSeen: Decodable {
    let staff: Staff.ID
    let roles: [StaffRole]
    let accessToken: String
    let refreshToken: String
}

extension AuthWorld {
    /// A new colleague. The roles are given in the way that the tables ask for, by founders made for it.
    func colleague(_ login: String, roles: [StaffRole] = []) async throws -> Colleague {
        let login = try #require(StaffLogin(login))
        let issued = try await self.parts.edge.accounts.add(login, name: "Иванова А. П.")
        let row = try await self.owner.one("select time_secret from auth.staff where staff_id = \(issued.id)")
        let bytes = try self.vault.open(row.decode([UInt8].self), at: StaffAccounts.place(of: issued.id))
        let colleague = Colleague(
            id: issued.id, login: login, password: issued.password.text, secret: TimeCodeSecret(bytes: bytes))
        for role in roles {
            if case .waiting(let change) = try await self.parts.edge.roles.propose(role, for: login) {
                try await self.parts.edge.roles.decide(change, approves: true, by: self.founder())
            }
        }
        return colleague
    }

    /// Somebody who may decide about roles.
    private func founder() async throws -> Staff.ID {
        let known = try await self.owner.first("select staff_id from auth.staff where login = 'founder'")
        if let known { return try known.decode(Staff.ID.self) }
        let login = try #require(StaffLogin("founder"))
        let founder = try await self.parts.edge.accounts.add(login, name: "Основатель")
        #expect(try await self.parts.edge.roles.propose(.sysadmin, for: login) == .inForce)
        return founder.id
    }

    /// Logs a colleague in; the clock goes on by a period first, so that the code is a new one.
    func logIn(_ colleague: Colleague, _ client: any TestClientProtocol) async throws -> StaffTokensSeen {
        self.clock.advance(by: .seconds(30))
        let answer = try await client.ask(.post, "/v1/staff/sessions", colleague.body(at: self.clock.now))
        try #require(answer.status == 201)
        return try answer.read()
    }
}

extension AuthWorld {
    /// How often something happened to accounts.
    func staffEvents(_ what: String) async throws -> Int {
        try await self.owner.one("select count(*) from auth.staff_event where what = \(what)").decode(Int.self)
    }
}

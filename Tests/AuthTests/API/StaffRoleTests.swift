import FoundationEssentials
import HTTPTypes
import Kernel
import Postgres
import TestSupport
import Testing
import Web

@testable import Auth

@Suite(.authDatabase, .capturedLogs) struct StaffRoleTests {
    private struct Changes: Decodable {
        let items: [Change]

        struct Change: Decodable {
            let change: String
            let role: StaffRole
        }
    }

    @Test func `a role takes two people`() async throws {
        let world = try AuthWorld()
        let first = try await world.colleague("first", roles: [.sysadmin])
        let second = try await world.colleague("second", roles: [.sysadmin])
        let clerk = try await world.colleague("clerk")
        try await world.client { client in
            let maker = try await world.logIn(first, client).accessToken
            let checker = try await world.logIn(second, client).accessToken
            let proposal = #"{"staff":"\#(clerk.id)","role":"store-clerk"}"#
            let proposed = try await client.ask(.post, "/v1/staff/role-changes", proposal, token: maker)
            #expect(proposed.status == 201)
            #expect(
                try await client.ask(.post, "/v1/staff/role-changes", proposal, token: maker).problem == "role-there")
            let waiting: Changes = try await client.ask(.get, "/v1/staff/role-changes", token: checker).read()
            let change = try #require(waiting.items.first { $0.role == .storeClerk }).change
            let path = "/v1/staff/role-changes/\(change)/decision"
            #expect(try await world.logIn(clerk, client).roles.isEmpty)
            let own = try await client.ask(.put, path, #"{"approved":true}"#, token: maker)
            #expect(own.problem == "same-person")
            #expect(try await client.ask(.put, path, #"{"approved":true}"#, token: checker).status == 204)
            #expect(try await client.ask(.put, path, #"{"approved":true}"#, token: checker).problem == "not-found")
            #expect(try await world.logIn(clerk, client).roles == [.storeClerk])
        }
    }

    @Test func `nobody proposes a role for themselves or decides about their own`() async throws {
        let world = try AuthWorld()
        let first = try await world.colleague("first", roles: [.sysadmin])
        let second = try await world.colleague("second", roles: [.sysadmin])
        await #expect(throws: StaffRefusal.samePerson) {
            _ = try await world.parts.edge.roles.propose(.support, for: first.id, by: first.id)
        }
        let change = try await world.parts.edge.roles.propose(.support, for: second.id, by: first.id)
        await #expect(throws: StaffRefusal.samePerson) {
            try await world.parts.edge.roles.decide(change, approves: true, by: second.id)
        }
    }

    /// What the operations refuse, the tables refuse as well: an operation that forgot would change nothing.
    @Test func `the tables themselves want two people, and two founders at most`() async throws {
        let world = try AuthWorld()
        let first = try await world.colleague("first", roles: [.sysadmin])
        let second = try await world.colleague("second", roles: [.sysadmin])
        let third = try await world.colleague("third")
        let change = try await world.parts.edge.roles.propose(.support, for: third.id, by: first.id)
        let now = world.clock.now
        for checker in [first.id, third.id] {
            await #expect(throws: DatabaseError.self) {
                try await world.owner.transaction {
                    try await StaffRoleStore().decide(change, approved: true, by: checker, at: now, in: $0)
                }
            }
        }
        // A role without an approved change.
        await #expect(throws: DatabaseError.self) {
            try await world.owner.transaction {
                try await StaffRoleStore().give(.support, to: third.id, by: change, at: now, in: $0)
            }
        }
        await #expect(throws: DatabaseError.self) {
            try await world.owner.transaction {
                try await StaffRoleStore().insertFounder(UUID(), third.id, place: 3, at: now, in: $0)
            }
        }
        await #expect(throws: DatabaseError.self) {
            try await world.owner.transaction {
                try await StaffRoleStore().insertFounder(UUID(), third.id, place: 2, at: now, in: $0)
            }
        }
        // The third sysadmin is no founder: two people are asked for.
        guard case .waiting(let third) = try await world.parts.edge.roles.propose(.sysadmin, for: third.login) else {
            Issue.record("a third founder")
            return
        }
        try await world.parts.edge.roles.decide(third, approves: true, by: second.id)
    }

    @Test func `only a sysadmin decides, and a colleague of another role gets nowhere`() async throws {
        let world = try AuthWorld()
        let first = try await world.colleague("first", roles: [.sysadmin])
        let auditor = try await world.colleague("auditor", roles: [.auditor])
        let clerk = try await world.colleague("clerk")
        let change = try await world.parts.edge.roles.propose(.support, for: clerk.id, by: first.id)
        await #expect(throws: StaffRefusal.notAllowed) {
            try await world.parts.edge.roles.decide(change, approves: true, by: auditor.id)
        }
        try await world.client { client in
            let token = try await world.logIn(auditor, client).accessToken
            let answer = try await client.ask(
                .put, "/v1/staff/role-changes/\(change.uuidString.lowercased())/decision", #"{"approved":true}"#,
                token: token)
            #expect(answer.problem == "role-missing")
            #expect(try await client.ask(.get, "/v1/staff/colleagues").problem == "token-missing")
        }
    }

    @Test func `the second person at the machine is known by a time code, which is good once`() async throws {
        let world = try AuthWorld()
        let first = try await world.colleague("first", roles: [.sysadmin])
        let code = first.code(at: world.clock.now)
        #expect(try await world.parts.edge.check.second(first.login, code: code) == first.id)
        await #expect(throws: StaffRefusal.credentials) {
            try await world.parts.edge.check.second(first.login, code: code)
        }
        await #expect(throws: StaffRefusal.credentials) {
            try await world.parts.edge.check.second(try #require(StaffLogin("nobody")), code: code)
        }
    }

    @Test func `whoever looks a member up sees them masked, and it is written down with the reason`() async throws {
        let world = try AuthWorld()
        let registered = try await world.register()
        let support = try await world.colleague("support", roles: [.support])
        let officer = try await world.colleague("officer", roles: [.dataProtectionOfficer])
        try await world.client { client in
            let token = try await world.logIn(support, client).accessToken
            let body = #"{"phone":"+79161234567","reason":"звонок 17"}"#
            let seen = try await client.ask(.post, "/v1/staff/member-lookups", body, token: token)
            #expect(seen.status == 200)
            #expect(seen.text.contains("\(registered.member)") && seen.text.contains("Анна И."))
            #expect(!seen.text.contains("9161234567") && !seen.text.contains("Иванова"))
            #expect(!seen.text.contains(registered.card.digits))
            let unknown = #"{"phone":"+79160000000","reason":"звонок 18"}"#
            #expect(try await client.ask(.post, "/v1/staff/member-lookups", unknown, token: token).status == 404)
            let unclear = #"{"reason":"звонок 19"}"#
            #expect(
                try await client.ask(.post, "/v1/staff/member-lookups", unclear, token: token).problem
                    == "look-up-unclear")
            #expect(try await client.ask(.get, "/v1/staff/access-log", token: token).problem == "role-missing")
            let reader = try await world.logIn(officer, client).accessToken
            let log = try await client.ask(
                .get, "/v1/staff/access-log?member=\(registered.member)", token: reader)
            #expect(log.text.contains("звонок 17") && log.text.contains(#""login":"support""#))
            #expect(!log.text.contains("звонок 18"))
        }
        for statement: SQL in [
            "delete from auth.access_log", "update auth.access_log set reason = 'x'", "truncate auth.access_log",
            "delete from auth.staff_event",
        ] {
            await #expect(throws: DatabaseError.self) { try await world.owner.execute(statement) }
        }
    }
}

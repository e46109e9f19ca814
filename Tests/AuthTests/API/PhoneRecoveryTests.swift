import Contracts
import FoundationEssentials
import HTTPTypes
import HummingbirdTesting
import Kernel
import Postgres
import TestSupport
import Testing
import Web

@testable import Auth

/// A member has lost the old phone: two colleagues give them another, and nothing of value leaves for a while.
@Suite(.authDatabase, .capturedLogs) struct PhoneRecoveryTests {
    private static let newPhone = "+79161234599"
    private static let path = "/v1/staff/phone-recoveries"

    private struct Proposed: Decodable { let recovery: String }
    private struct Listed: Decodable {
        struct Item: Decodable {
            let recovery: String
            let phone: String
        }
        let items: [Item]
    }

    /// Colleagues who are logged in.
    private struct Desk {
        let support: String
        let supervisor: String
        /// The support colleague as a supervisor, which they are as well.
        let both: String
    }

    private func desk(_ world: AuthWorld, _ client: any TestClientProtocol) async throws -> Desk {
        let support = try await world.colleague("support", roles: [.support])
        let supervisor = try await world.colleague("supervisor", roles: [.supervisor])
        let both = try await world.colleague("both", roles: [.support, .supervisor])
        return Desk(
            support: try await world.logIn(support, client).accessToken,
            supervisor: try await world.logIn(supervisor, client).accessToken,
            both: try await world.logIn(both, client).accessToken)
    }

    private func propose(
        _ member: Member.ID, _ client: any TestClientProtocol, _ token: String, phone: String = Self.newPhone
    ) async throws -> Answered {
        try await client.ask(
            .post, Self.path, #"{"member":"\#(member)","phone":"\#(phone)","reason":"телефон утонул"}"#, token: token)
    }

    private func decide(
        _ recovery: String, _ approved: Bool, _ client: any TestClientProtocol, _ token: String
    ) async throws -> Answered {
        try await client.ask(.put, "\(Self.path)/\(recovery)/decision", #"{"approved":\#(approved)}"#, token: token)
    }

    @Test func `two colleagues change the phone, sessions end, and nothing of value leaves for three days`()
        async throws
    {
        let world = try AuthWorld()
        try await world.subscribe("tests.events", to: StandingChanged.name)
        let registered = try await world.register()
        try await world.client { client in
            let desk = try await self.desk(world, client)
            let token = try await world.logInAgain().accessToken
            let stepUp = try await client.action("/v1/me/cards", token)
            let oldCode = try await world.code(of: stepUp.id)
            let proposed = try await self.propose(registered.member, client, desk.support)
            #expect(proposed.status == 201 && !proposed.text.contains("1234599"))
            #expect(try await world.waiting(Notify.name) == 1, "the old phone hears of it at once")
            #expect(try await self.propose(registered.member, client, desk.support).problem == "recovery-waiting")
            let id = try proposed.read(Proposed.self).recovery
            let listed: Listed = try await client.ask(.get, Self.path, token: desk.supervisor).read()
            #expect(listed.items.map(\.recovery) == [id])
            #expect(listed.items[0].phone.hasSuffix("99") && !listed.items[0].phone.contains("123"))
            #expect(try await self.decide(id, true, client, desk.supervisor).status == 204)
            #expect(try await self.decide(id, true, client, desk.supervisor).problem == "not-found")
            #expect(try await client.ask(.get, "/v1/me", token: token).problem == "session-ended")

            // The old phone opens nothing, the new one does.
            let old = try await client.challenge()
            let asOld = try await client.logIn(old, world.code(of: old))
            #expect(!asOld.text.contains("accessToken"))
            let new = try await client.challenge(Self.newPhone)
            let session = try await client.logIn(new, world.code(of: new)).read(TokensSeen.self).accessToken
            let confirmed = try await client.confirm("/v1/me/cards/\(stepUp.id)", oldCode, session)
            #expect(confirmed.status == 422, "the code to the old phone is void")
            let profile: Held = try await client.ask(.get, "/v1/me", token: session).read()
            #expect(profile.phone == Self.newPhone && !profile.spendingLocked)
            let until = try #require(profile.spendingHeldUntil)
            // Unlocking spending with a code to the new phone changes nothing about it.
            let unlock = try await client.action("/v1/me/spending-unlocks", session)
            _ = try await client.confirm(
                "/v1/me/spending-unlocks/\(unlock.id)", world.code(of: unlock.id), session)
            #expect(try await self.isLocked(registered.member, in: world))
            world.clock.advance(by: until - world.clock.now - .seconds(1))
            try await world.parts.keepHouse()
            #expect(try await self.isLocked(registered.member, in: world))
            world.clock.advance(by: .seconds(1))
            try await world.parts.keepHouse()
            #expect(try await !self.isLocked(registered.member, in: world))
        }
        #expect(try await world.heard(StandingChanged.self).map(\.standing.isSpendingLocked) == [true, false])
        #expect(
            try await world.heard(StandingChanged.self).allSatisfy { $0.standing.phoneChangedAt != nil })
        let log = try await world.owner.query("select what from auth.access_log order by access_id")
            .map { try $0.decode(String.self) }
        #expect(log == ["phone-recovery", "phone-recovery-approved"])
    }

    private struct Held: Decodable {
        let phone: String
        let spendingLocked: Bool
        let spendingHeldUntil: Timestamp?
    }

    private func isLocked(_ member: Member.ID, in world: AuthWorld) async throws -> Bool {
        try await StandingStore().find(member, on: world.database)?.isSpendingLocked ?? false
    }

    @Test func `while value is held no code is sent that would move it`() async throws {
        let world = try AuthWorld()
        let member = try await world.register().member
        try await world.database.transaction { transaction in
            try await StandingStore().holdValue(
                of: member, until: world.clock.now + .seconds(60), in: transaction)
        }
        let subject = StepUpSubject(action: .donation, amount: 10, unit: .points, target: "Линия жизни")
        let outcome = try await world.database.transaction { transaction in
            try await world.parts.members.sendStepUp(
                StepUp.ID(UUID()), of: member, subject, in: transaction)
        }
        #expect(throws: StepUpRefusal.spendingLocked) { try outcome.get() }
    }

    @Test func `nobody decides about their own proposal, in the routes and in the table`() async throws {
        let world = try AuthWorld()
        let registered = try await world.register()
        try await world.client { client in
            let desk = try await self.desk(world, client)
            let id = try await self.propose(registered.member, client, desk.both).read(Proposed.self).recovery
            #expect(try await self.decide(id, true, client, desk.both).problem == "same-person")
            #expect(try await self.decide(id, true, client, desk.support).problem == "role-missing")
            await #expect(throws: DatabaseError.self) {
                try await world.owner.execute(
                    """
                    update auth.phone_recovery
                    set approved = true, checker = maker, decided_at = made_at, phone = null, phone_index = null
                    """)
            }
            #expect(try await self.decide(id, false, client, desk.supervisor).status == 204)
            // Refused: nothing has changed, and nothing of the phone is kept.
            let old = try await client.challenge()
            #expect(try await client.logIn(old, world.code(of: old)).text.contains("accessToken"))
            #expect(try await world.owner.first("select from auth.phone_recovery where phone is not null") == nil)
        }
    }

    @Test func `another member's phone is given to nobody, and a proposal does not wait for ever`() async throws {
        let world = try AuthWorld()
        let registered = try await world.register()
        _ = try await world.register("+79161234568")
        try await world.client { client in
            let support = try await world.colleague("support", roles: [.support])
            let supervisor = try await world.colleague("supervisor", roles: [.supervisor])
            let token = try await world.logIn(support, client).accessToken
            let taken = try await self.propose(registered.member, client, token, phone: "+79161234568")
            #expect(taken.problem == "phone-taken")
            let nobody = Member.ID(UUID())
            #expect(try await self.propose(nobody, client, token).problem == "not-found")
            let id = try await self.propose(registered.member, client, token).read(Proposed.self).recovery
            world.clock.advance(by: RecoverPhone.patience)
            let late = try await world.logIn(supervisor, client).accessToken
            #expect(try await self.decide(id, true, client, late).problem == "not-found")
            let later = try await world.logIn(support, client).accessToken
            let again = try await self.propose(registered.member, client, later)
            #expect(again.status == 201)
        }
    }

    @Test func `auditors read what happened to accounts, newest first, page by page`() async throws {
        let world = try AuthWorld()
        let auditor = try await world.colleague("auditor", roles: [.auditor])
        let clerk = try await world.colleague("clerk", roles: [.storeClerk])
        struct Page: Decodable {
            struct Item: Decodable, Hashable {
                let login: String
                let what: String
                let role: String?
                let actor: Staff.ID?
            }
            let items: [Item]
            let next: String?
        }
        try await world.client { client in
            let token = try await world.logIn(auditor, client).accessToken
            let mine: Page = try await client.ask(.get, "/v1/staff/events?staff=\(clerk.id)", token: token).read()
            #expect(mine.items.map(\.what) == ["role-given", "role-proposed", "added"])
            #expect(mine.items.allSatisfy { $0.login == "clerk" } && mine.items[0].role == "store-clerk")
            #expect(mine.items[0].actor != nil && mine.items[1].actor == nil)
            var (seen, next): ([Page.Item], String?) = ([], "")
            while let cursor = next {
                let query = cursor.isEmpty ? "" : "&cursor=\(cursor)"
                let page: Page = try await client.ask(.get, "/v1/staff/events?limit=2\(query)", token: token).read()
                seen += page.items
                next = page.next
            }
            let all = try await world.owner.one("select count(*) from auth.staff_event").decode(Int.self)
            #expect(seen.count == all && seen.first?.what == "logged-in")
            let other = try await world.logIn(clerk, client).accessToken
            #expect(try await client.ask(.get, "/v1/staff/events", token: other).problem == "role-missing")
        }
    }
}

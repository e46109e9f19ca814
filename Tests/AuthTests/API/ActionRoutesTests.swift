import Contracts
import FoundationEssentials
import HTTPTypes
import HummingbirdTesting
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Auth

/// What a member does to the account with a code: phone, card, spending, leaving.
@Suite(.authDatabase, .capturedLogs) struct ActionRoutesTests {
    private static let newPhone = "+79031112233"

    private func beginPhone(
        _ client: any TestClientProtocol, _ token: String, _ phone: String = newPhone
    ) async throws -> PhoneChangeSeen {
        let answer = try await client.ask(.post, "/v1/me/phone-changes", #"{"phone":"\#(phone)"}"#, token: token)
        try #require(answer.status == 202, "\(answer.text)")
        return try answer.read()
    }

    private func finishPhone(
        _ client: any TestClientProtocol, _ change: PhoneChangeSeen, old: String, new: String, _ token: String
    ) async throws -> Answered {
        try await client.ask(
            .post, "/v1/me/phone-changes/\(change.id)/confirmation",
            #"{"oldPhoneCode":"\#(old)","newPhoneCode":"\#(new)"}"#, token: token)
    }

    @Test func `a phone changes with a code to the old one and a code to the new one`() async throws {
        let world = try AuthWorld()
        try await world.subscribe("tests.events", to: StandingChanged.name)
        let registered = try await world.register()
        let other = try await world.logInAgain()
        try await world.client { client in
            let token = registered.tokens.accessToken
            let change = try await self.beginPhone(client, token)
            let answer = try await self.finishPhone(
                client, change, old: world.code(of: change.id), new: world.code(of: change.newPhone.challenge), token)
            #expect(answer.status == 204, "\(answer.text)")
            let profile = try await client.ask(.get, "/v1/me", token: token).read(WholeProfileSeen.self)
            #expect(profile.phone?.e164 == Self.newPhone)
            #expect(try await client.ask(.get, "/v1/me", token: other.accessToken).problem == "session-ended")
        }
        let standing = try #require(try await world.heard(StandingChanged.self).last)
        #expect(standing.member == registered.member && standing.standing.phoneChangedAt == world.clock.now)
        #expect(try await world.waiting(Notify.name) == 1, "the old phone is told")
        _ = try await world.logInAgain(Self.newPhone)
        guard case .registration = try await world.logIn() else { throw UnexpectedOutcome() }
    }

    @Test func `either code alone changes nothing, and both are counted`() async throws {
        let world = try AuthWorld()
        let token = try await world.register().tokens.accessToken
        try await world.client { client in
            let change = try await self.beginPhone(client, token)
            let (old, new) = (
                try await world.code(of: change.id), try await world.code(of: change.newPhone.challenge)
            )
            let (wrongOld, wrongNew) = (
                try await world.wrongCode(of: change.id), try await world.wrongCode(for: change.newPhone.challenge)
            )
            for (first, second) in [(old, wrongNew), (wrongOld, new), (wrongOld, wrongNew)] {
                let refused = try await self.finishPhone(client, change, old: first, new: second, token)
                #expect(refused.status == 422 && refused.problem == "code-refused")
            }
            #expect(
                try await self.finishPhone(client, change, old: old, new: new, token).status == 422,
                "three attempts are used up")
            let profile = try await client.ask(.get, "/v1/me", token: token).read(WholeProfileSeen.self)
            #expect(profile.phone?.e164 == "+79161234567")
        }
    }

    @Test func `another member's phone shows as taken only to whoever holds both phones`() async throws {
        let world = try AuthWorld()
        _ = try await world.register(Self.newPhone)
        let token = try await world.register().tokens.accessToken
        try await world.client { client in
            let change = try await self.beginPhone(client, token)
            let taken = try await self.finishPhone(
                client, change, old: world.code(of: change.id), new: world.code(of: change.newPhone.challenge), token)
            #expect(taken.status == 409 && taken.problem == "phone-taken")
            let stranger = try await world.register("+79161234568").tokens.accessToken
            let foreign = try await self.finishPhone(client, change, old: "000000", new: "000000", stranger)
            #expect(foreign.status == 422)
        }
        _ = try await world.logInAgain(Self.newPhone)
    }

    @Test func `spending is locked at once and unlocked with a code`() async throws {
        let world = try AuthWorld()
        try await world.subscribe("tests.events", to: StandingChanged.name)
        let token = try await world.register().tokens.accessToken
        try await world.client { client in
            for _ in 0..<2 { #expect(try await client.ask(.put, "/v1/me/spending-lock", token: token).status == 204) }
            #expect(try await client.ask(.get, "/v1/me", token: token).read(WholeProfileSeen.self).spendingLocked)
            let asked = try await client.action("/v1/me/spending-unlocks", token)
            let path = "/v1/me/spending-unlocks/\(asked.id)"
            #expect(try await client.confirm(path, world.wrongCode(of: asked.id), token).problem == "code-refused")
            let code = try await world.code(of: asked.id)
            #expect(try await client.confirm(path, code, token).status == 204)
            #expect(try await client.confirm(path, code, token).status == 422, "single use")
            #expect(try await !client.ask(.get, "/v1/me", token: token).read(WholeProfileSeen.self).spendingLocked)
        }
        #expect(try await world.heard(StandingChanged.self).map(\.standing.isSpendingLocked) == [true, false])
    }

    @Test func `a code for one action opens no other`() async throws {
        let world = try AuthWorld()
        let token = try await world.register().tokens.accessToken
        try await world.client { client in
            let unlock = try await client.action("/v1/me/spending-unlocks", token)
            let code = try await world.code(of: unlock.id)
            for path in ["/v1/me/cards", "/v1/me/erasures"] {
                let answer = try await client.confirm("\(path)/\(unlock.id)", code, token)
                #expect(answer.status == 422)
            }
            #expect(try await client.ask(.get, "/v1/me", token: token).status == 200)
        }
    }

    @Test func `a new card takes the place of the old one, which is nobody's to auth any more`() async throws {
        let world = try AuthWorld()
        try await world.subscribe("tests.events", to: CardIssued.name)
        try await world.subscribe("tests.ended", to: CardBlocked.name)
        let registered = try await world.register()
        try await world.client { client in
            let token = registered.tokens.accessToken
            let asked = try await client.action("/v1/me/cards", token)
            let answer = try await client.confirm("/v1/me/cards/\(asked.id)", world.code(of: asked.id), token)
            #expect(answer.status == 201)
            let card = try answer.read([String: CardNumber].self)["card"]
            #expect(card != registered.card)
            #expect(try await client.ask(.get, "/v1/me/card", token: token).text.contains(#require(card).digits))
            let holder = try await world.database.transaction { transaction in
                try await MemberStore().find(card: registered.card, in: transaction)
            }
            #expect(holder == nil)
            #expect(try await world.heard(CardIssued.self).last?.card == card)
            // Whoever takes receipts hears of it, or the old number would go on earning.
            let ended = CardBlocked(
                member: registered.member, card: registered.card, blockedAt: world.clock.now)
            #expect(try await world.heard(CardBlocked.self, in: "tests.ended") == [ended])
        }
    }

    @Test func `the code is sent again, to the member alone`() async throws {
        let world = try AuthWorld()
        let token = try await world.register().tokens.accessToken
        let stranger = try await world.register("+79161234568").tokens.accessToken
        try await world.client { client in
            let asked = try await client.action("/v1/me/cards", token)
            let path = "/v1/me/step-ups/\(asked.id)/resend"
            #expect(try await client.ask(.post, path, token: token).problem == "resend-too-early")
            world.clock.advance(by: .seconds(30))
            #expect(try await client.ask(.post, path, token: stranger).problem == "code-refused")
            #expect(try await client.ask(.post, path, token: token).status == 202)
        }
    }
}

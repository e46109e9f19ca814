import FoundationEssentials
import HTTPTypes
import HummingbirdTesting
import Kernel
import Postgres
import TestSupport
import Testing
import Web

@testable import Auth

@Suite(.authDatabase, .capturedLogs) struct AuthStoryTests {
    private static let registration = """
        "fullName":{"last":"Иванова","first":"Анна","middle":"Петровна"},\
        "consents":{"terms":true,"personalData":true,"marketing":false}
        """

    @Test func `a member registers, logs in, refreshes and logs out`() async throws {
        let world = try AuthWorld()
        try await world.client { client in
            let first = try await client.challenge()
            let offer = try await client.logIn(first, world.code(of: first))
            #expect(offer.status == 200)
            let ticket = try offer.read(TicketSeen.self).registration
            let registered = try await client.ask(
                .post, "/v1/registrations", #"{"registration":"\#(ticket)",\#(Self.registration)}"#)
            #expect(registered.status == 201)
            let member = try registered.read(RegistrationSeen.self)

            world.clock.advance(by: .seconds(3600))
            let second = try await client.challenge("8 (916) 123-45-67")
            let session = try await client.logIn(second, world.code(of: second))
            #expect(session.status == 201)
            let tokens = try session.read(TokensSeen.self)
            #expect(tokens.accessExpiresAt == world.clock.now + .seconds(600))

            let me = try await client.ask(.get, "/v1/me", token: tokens.accessToken)
            let profile = try me.read(ProfileSeen.self)
            #expect(profile.member == member.member)
            #expect(profile.card == member.card)
            #expect(profile.phone.e164 == "+79161234567")
            #expect(profile.fullName == FullName(last: "Иванова", first: "Анна", middle: "Петровна"))
            #expect(
                profile.consents.map { "\($0.purpose)/\($0.channel)/\($0.granted)" } == [
                    "marketing/email/false", "marketing/push/false", "marketing/sms/false", "personal-data/any/true",
                    "terms/any/true",
                ])
            try await self.refreshAndLogOut(client, world, tokens)
        }
    }

    private func refreshAndLogOut(
        _ client: any TestClientProtocol, _ world: AuthWorld, _ tokens: TokensSeen
    ) async throws {
        world.clock.advance(by: .seconds(600))
        let expired = try await client.ask(.get, "/v1/me", token: tokens.accessToken)
        #expect(expired.status == 401 && expired.problem == "token-expired")
        let refreshed = try await client.ask(.post, "/v1/tokens", #"{"refreshToken":"\#(tokens.refreshToken)"}"#)
        #expect(refreshed.status == 200)
        let fresh = try refreshed.read(TokensSeen.self)
        #expect(fresh.refreshToken != tokens.refreshToken)
        #expect(try await client.ask(.get, "/v1/me/card", token: fresh.accessToken).status == 200)

        #expect(try await client.ask(.delete, "/v1/sessions/current", token: fresh.accessToken).status == 204)
        for (method, path) in [(HTTPRequest.Method.get, "/v1/me"), (.get, "/v1/me/card"), (.post, "/v1/me/card/token")]
        {
            let ended = try await client.ask(method, path, token: fresh.accessToken)
            #expect(ended.status == 401 && ended.problem == "session-ended")
        }
        let again = try await client.ask(.post, "/v1/tokens", #"{"refreshToken":"\#(fresh.refreshToken)"}"#)
        #expect(again.status == 401 && again.problem == "refresh-refused")
    }

    @Test func `the screen's token is a card token of a minute and no access token`() async throws {
        let world = try AuthWorld()
        let registered = try await world.register()
        try await world.client { client in
            let answer = try await client.ask(
                .post, "/v1/me/card/token", token: registered.tokens.accessToken)
            #expect(answer.status == 201 && answer.headers[.cacheControl] == "no-store")
            let seen = try answer.read(CardTokenSeen.self)
            let card = try await world.parts.routes.verifier.verifyCard(seen.token)
            #expect(card.member == registered.member)
            #expect(card.expiresAt == world.clock.now + .seconds(60))
            let other = try await client.ask(.post, "/v1/me/card/token", token: registered.tokens.accessToken)
            #expect(
                try await world.parts.routes.verifier.verifyCard(other.read(CardTokenSeen.self).token).id != card.id)
            let misused = try await client.ask(.get, "/v1/me", token: seen.token)
            #expect(misused.status == 401 && misused.problem == "token-invalid")
            await #expect(throws: Problem.self) {
                try await world.parts.routes.verifier.verifyCard(registered.tokens.accessToken)
            }
        }
    }

    @Test func `whoever holds no token is nobody`() async throws {
        let world = try AuthWorld()
        try await world.client { client in
            for (method, path) in [
                (HTTPRequest.Method.get, "/v1/me"), (.get, "/v1/me/card"), (.post, "/v1/me/card/token"),
                (.delete, "/v1/sessions/current"),
            ] {
                let none = try await client.ask(method, path)
                #expect(none.status == 401 && none.problem == "token-missing")
                let forged = try await client.ask(method, path, token: "a.b.c")
                #expect(forged.status == 401 && forged.problem == "token-invalid")
            }
        }
    }

    @Test func `whoever waits for a code sees how far its message came`() async throws {
        let world = try AuthWorld()
        try await world.client { client in
            let challenge = try await client.challenge()
            func state() async throws -> String {
                try await client.ask(.get, "/v1/challenges/\(challenge)/delivery").text
            }
            #expect(try await state() == #"{"state":"queued"}"#)
            let sms = try await world.owner.one("select reference from auth.sms").decode(UUID.self)
            for (report, seen) in [(DeliveryState.delivered, "delivered"), (.accepted, "delivered")] {
                try await SMSStore().advance(sms, to: report, at: world.clock.now, on: world.database)
                #expect(try await state() == #"{"state":"\#(seen)"}"#)
            }
            let unknown = try await client.ask(.get, "/v1/challenges/\(Challenge.ID(UUID()))/delivery")
            #expect(unknown.status == 404)
        }
    }

    @Test func `known and unknown phones get the same answer`() async throws {
        let world = try AuthWorld()
        _ = try await world.register("+79161234567")
        world.clock.advance(by: .seconds(3600))
        try await world.client { client in
            func shape(_ phone: String) async throws -> [String] {
                let answer = try await client.ask(.post, "/v1/challenges", #"{"phone":"\#(phone)"}"#)
                let seen = try answer.read(ChallengeSeen.self)
                let wrong = try await client.logIn(seen.challenge, world.wrongCode(for: seen.challenge))
                return [
                    "\(answer.status)", "\(answer.headers)", "\(seen.expiresAt)",
                    "\(String(describing: seen.resendAt))",
                    "\(answer.text.utf8.count)", "\(wrong.status)", wrong.text,
                ]
            }
            let (known, unknown) = (try await shape("+79161234567"), try await shape("+79161234568"))
            #expect(known == unknown)
        }
    }

    @Test func `wrong, used, lapsed and unknown codes are refused alike`() async throws {
        let world = try AuthWorld()
        try await world.client { client in
            let wrong = try await client.challenge()
            var refusals = [try await client.logIn(wrong, world.wrongCode(for: wrong))]
            let right = try await world.code(of: wrong)
            #expect(try await client.logIn(wrong, right).status == 200)
            refusals.append(try await client.logIn(wrong, right))

            let lapsed = try await client.challenge()
            let late = try await world.code(of: lapsed)
            world.clock.advance(by: .seconds(300))
            refusals.append(try await client.logIn(lapsed, late))
            refusals.append(try await client.logIn(Challenge.ID(UUID(random: .seeded(99))), "0000"))

            #expect(Set(refusals.map(\.text)).count == 1)
            #expect(refusals.allSatisfy { $0.status == 422 && $0.problem == "code-refused" })
        }
    }

    @Test(arguments: [
        ("/v1/challenges", #"{"phone":"+77012345678"}"#, "invalid-value"),
        ("/v1/challenges", #"{"phone":"+74951234567"}"#, "invalid-value"),
        ("/v1/challenges", #"{"phone":"+7916123456"}"#, "invalid-value"),
        ("/v1/challenges", #"{"phone":79161234567}"#, "wrong-type"),
        ("/v1/challenges", #"{"phone":"+79161234567","x":1}"#, "unknown-field"),
        ("/v1/challenges", #"{}"#, "missing-field"), ("/v1/challenges", #"{"#, "malformed-json"),
        ("/v1/sessions", #"{"challenge":"x","code":"1234"}"#, "invalid-value"),
        ("/v1/sessions", #"{"challenge":"5f1c7d0e-93a1-4be2-8d64-0e0f7d1c9a55","code":"12a4"}"#, "invalid-value"),
        ("/v1/sessions", #"{"challenge":"5f1c7d0e-93a1-4be2-8d64-0e0f7d1c9a55","code":"12345"}"#, "invalid-value"),
        ("/v1/sessions", #"{"challenge":"5f1c7d0e-93a1-4be2-8d64-0e0f7d1c9a55","code":1234}"#, "wrong-type"),
        ("/v1/tokens", #"{"refreshToken":null}"#, "wrong-type"),
        (
            "/v1/registrations", #"{"registration":"x","fullName":{"last":"1","first":"A"},"consents":{}}"#,
            "invalid-value"
        ),
    ])
    func `bad input is named and changes nothing`(path: String, body: String, code: String) async throws {
        let world = try AuthWorld()
        try await world.client { client in
            let answer = try await client.ask(.post, path, body)
            #expect(answer.status == 400 && answer.problem == code)
        }
        let rows = try await world.owner.one("select count(*) from auth.challenge").decode(Int.self)
        #expect(rows == 0)
        #expect(!CapturedLogs.text.contains("1234567"))
    }
}

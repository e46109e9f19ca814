import FoundationEssentials
import HTTPTypes
import HummingbirdTesting
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Auth

/// Log-in by card number: nobody learns from it which cards there are.
@Suite(.authDatabase, .capturedLogs) struct CardLoginTests {
    private static let nobodys = CardNumber.make(random: .seeded(77))

    private func ask(_ client: any TestClientProtocol, _ card: CardNumber) async throws -> Answered {
        try await client.ask(.post, "/v1/challenges", #"{"card":"\#(card.digits)"}"#)
    }

    /// Rows of everything that a request for a code may write.
    private func footprint(_ world: AuthWorld) async throws -> [Int] {
        var counts: [Int] = []
        for table in ["auth.challenge", "auth.sms", "auth.throttle"] { counts.append(try await world.count(table)) }
        return counts + [try await world.waiting(SendCode.name)]
    }

    private func growth(_ world: AuthWorld, _ body: () async throws -> Void) async throws -> [Int] {
        let before = try await self.footprint(world)
        try await body()
        return zip(try await self.footprint(world), before).map { $0 - $1 }
    }

    @Test func `a member logs in by the number of the card`() async throws {
        let world = try AuthWorld()
        let registered = try await world.register()
        world.clock.advance(by: .seconds(3600))
        try await world.client { client in
            let asked = try await self.ask(client, registered.card)
            #expect(asked.status == 202)
            let shown = try asked.read([String: String].self).keys.sorted()
            #expect(shown == ["challenge", "expiresAt", "resendAt"], "no part of the phone is shown")
            let challenge = try asked.read(ChallengeSeen.self).challenge
            #expect(try await client.logIn(challenge, world.code(of: challenge)).status == 201)
        }
    }

    @Test func `a card that is nobody's gets the same answer, after the same work, and no message`() async throws {
        let world = try AuthWorld()
        let registered = try await world.register()
        world.clock.advance(by: .seconds(86_400))
        try await world.client { client in
            var answers: [Answered] = []
            let known = try await self.growth(world) { answers.append(try await self.ask(client, registered.card)) }
            // The phone has asked before, as every phone of a member has, so its rows of the throttle are there.
            _ = try await self.ask(client, Self.nobodys)
            let unknown = try await self.growth(world) { answers.append(try await self.ask(client, Self.nobodys)) }
            #expect(known == unknown)
            #expect(answers.map(\.status) == [202, 202])
            #expect(answers[0].headers == answers[1].headers)
            #expect(answers[0].text.utf8.count == answers[1].text.utf8.count)
            let seen = try answers.map { try $0.read(ChallengeSeen.self) }
            #expect(seen[0].expiresAt == seen[1].expiresAt && seen[0].resendAt == seen[1].resendAt)
            for challenge in seen.map(\.challenge) {
                let delivery = try await client.ask(.get, "/v1/challenges/\(challenge)/delivery")
                #expect(delivery.status == 200 && delivery.text == #"{"state":"sent"}"#)
            }
            #expect(try await self.wanted(world, seen[0].challenge))
            #expect(try await !self.wanted(world, seen[1].challenge))
        }
    }

    /// Whether a message with the code would go out.
    private func wanted(_ world: AuthWorld, _ challenge: Challenge.ID) async throws -> Bool {
        try await SMSStore().find(challenge, sending: 1, at: world.clock.now, on: world.database)?.isWanted ?? false
    }

    @Test func `whatever is answered to a decoy is wrong, its very code as well`() async throws {
        let world = try AuthWorld()
        try await world.client { client in
            let challenge = try await self.ask(client, Self.nobodys).read(ChallengeSeen.self).challenge
            let answer = try await client.logIn(challenge, world.code(of: challenge))
            #expect(answer.status == 422 && answer.problem == "code-refused")
            #expect(try await world.count("auth.registration_ticket") == 0)
            world.clock.advance(by: .seconds(30))
            #expect(try await client.ask(.post, "/v1/challenges/\(challenge)/resend").status == 202)
        }
    }

    @Test func `a phone that has no quota left shows no more than a card that is nobody's`() async throws {
        let world = try AuthWorld()
        let registered = try await world.register()
        world.clock.advance(by: .seconds(86_400))
        for _ in 0..<5 { _ = try await world.challenge() }
        try await world.client { client in
            let asked = try await self.ask(client, registered.card)
            #expect(asked.status == 202)
            let challenge = try asked.read(ChallengeSeen.self).challenge
            #expect(try await !self.wanted(world, challenge))
            #expect(try await client.logIn(challenge, world.code(of: challenge)).status == 422)
            for _ in 0..<8 { #expect(try await self.ask(client, Self.nobodys).status == 202) }
        }
    }

    @Test func `decoys cost nothing of the day's messages, but something of the network's quota`() async throws {
        var policy = AuthPolicy()
        policy.quotas.perNetworkHour = 3
        policy.quotas.phonesPerNetworkHour = 100
        let world = try AuthWorld(policy: policy)
        try await world.client { client in
            for index in 0..<3 {
                let card = CardNumber.make(random: .seeded(UInt64(100 + index)))
                #expect(try await self.ask(client, card).status == 202)
            }
            let refused = try await self.ask(client, Self.nobodys)
            #expect(refused.status == 429 && refused.problem == "too-many-codes")
        }
        #expect(try await world.owner.one("select sum(sent) from auth.sms_budget").decode(Int.self) == 0)
    }

    @Test(arguments: [
        (#"{"card":"7123456789012345"}"#, "invalid-value"), (#"{"card":"7"}"#, "invalid-value"),
        (#"{"card":7123456789012345}"#, "wrong-type"),
        (#"{"card":"7000000000000005","phone":"+79161234567"}"#, "invalid-value"), (#"{}"#, "missing-field"),
    ])
    func `either a phone or a card`(body: String, code: String) async throws {
        let world = try AuthWorld()
        try await world.client { client in
            let answer = try await client.ask(.post, "/v1/challenges", body)
            #expect(answer.status == 400 && answer.problem == code, "\(answer.text)")
        }
    }
}

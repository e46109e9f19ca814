import HTTPTypes
import HummingbirdTesting
import Kernel
import Postgres
import TestSupport
import Testing
import Web

@testable import Auth

@Suite(.authDatabase, .capturedLogs) struct QuotaTests {
    private func network(_ index: Int) throws -> ClientNetwork {
        try #require(ClientNetwork(address: "192.0.\(index).1"))
    }

    private func ask(_ world: AuthWorld, _ phone: String, _ network: ClientNetwork) async throws -> Quota? {
        switch try await world.parts.routes.requestChallenge(PhoneNumber(parsing: phone), from: network) {
        case .success: nil
        case .failure(let refusal): refusal.quota
        }
    }

    /// supabase/auth #605: any number of messages to one phone.
    @Test func `A24: a phone gets five codes an hour and ten a day, whoever asks from wherever`() async throws {
        let world = try AuthWorld(policy: AuthPolicy())
        for index in 0..<5 { #expect(try await self.ask(world, "+79161234567", self.network(index)) == nil) }
        #expect(try await self.ask(world, "+79161234567", self.network(6)) == .phoneHour)
        world.clock.advance(by: .seconds(3600))
        for index in 7..<12 { #expect(try await self.ask(world, "+79161234567", self.network(index)) == nil) }
        world.clock.advance(by: .seconds(3600))
        #expect(try await self.ask(world, "+79161234567", self.network(12)) == .phoneDay)
        world.clock.advance(by: .seconds(86_400 - 3600))
        #expect(try await self.ask(world, "+79161234567", self.network(13)) == nil)
    }

    @Test func `A24: asking twenty times at once gets five`() async throws {
        let world = try AuthWorld(policy: AuthPolicy())
        try await world.openConnections()
        let granted = try await withThrowingTaskGroup(of: Quota?.self) { group in
            for index in 0..<20 { group.addTask { try await self.ask(world, "+79161234567", self.network(index)) } }
            return try await group.reduce(0) { $0 + ($1 == nil ? 1 : 0) }
        }
        #expect(granted == 5)
        #expect(try await world.owner.one("select count(*) from auth.sms").decode(Int.self) == 5)
    }

    @Test func `a network gets ten codes an hour`() async throws {
        var policy = AuthPolicy()
        policy.quotas.phonesPerNetworkHour = 100
        let world = try AuthWorld(policy: policy)
        for index in 0..<10 { #expect(try await self.ask(world, "+7916000000\(index)", self.network(1)) == nil) }
        #expect(try await self.ask(world, "+79161111111", self.network(1)) == .networkHour)
        #expect(try await self.ask(world, "+79161111111", self.network(2)) == nil)
    }

    @Test func `a network asks for five phones an hour, again for the same as it likes`() async throws {
        let world = try AuthWorld(policy: AuthPolicy())
        for index in 0..<5 { #expect(try await self.ask(world, "+7916000000\(index)", self.network(1)) == nil) }
        #expect(try await self.ask(world, "+79161111111", self.network(1)) == .networkPhones)
        #expect(try await self.ask(world, "+79160000000", self.network(1)) == nil)
    }

    @Test func `a prefix gets sixty codes an hour`() async throws {
        var policy = AuthPolicy.unlimitedNetwork
        policy.quotas.perPrefixHour = 3
        let world = try AuthWorld(policy: policy)
        for index in 0..<3 { #expect(try await self.ask(world, "+7916000000\(index)", .unknown) == nil) }
        #expect(try await self.ask(world, "+79160000009", .unknown) == .prefixHour)
        #expect(try await self.ask(world, "+79160010009", .unknown) == nil)
    }

    @Test func `a prefix that is sent to and does not log in is paused for an hour`() async throws {
        let world = try AuthWorld()
        for index in 10..<30 { #expect(try await self.ask(world, "+791600000\(index)", .unknown) == nil) }
        #expect(try await self.ask(world, "+79160000030", .unknown) == nil, "they may still be typing")
        world.clock.advance(by: .seconds(120))
        #expect(try await self.ask(world, "+79160000031", .unknown) == .pumping)
        world.clock.advance(by: .seconds(3599))
        #expect(try await self.ask(world, "+79160000031", .unknown) == .pumping)
        world.clock.advance(by: .seconds(1))
        #expect(try await self.ask(world, "+79160000031", .unknown) == nil)
    }

    @Test func `a prefix of people who log in is not paused`() async throws {
        let world = try AuthWorld()
        for index in 10..<30 {
            let challenge = try await world.challenge("+791600000\(index)")
            guard index < 16 else { continue }
            _ = try await world.parts.routes.logIn(
                challenge, answer: world.code(of: challenge), device: DeviceName(userAgent: nil))
        }
        world.clock.advance(by: .seconds(120))
        #expect(try await self.ask(world, "+79160000031", .unknown) == nil)
    }

    @Test func `a day's budget of messages is spent once, resends included, and is new at midnight UTC`() async throws {
        var policy = AuthPolicy.unlimitedNetwork
        policy.quotas.messagesPerDay = 3
        let world = try AuthWorld(policy: policy)
        let first = try await world.challenge("+79160000001")
        world.clock.advance(by: .seconds(30))
        _ = try await world.parts.routes.resendCode(first)
        #expect(try await self.ask(world, "+79160000002", .unknown) == nil)
        #expect(try await self.ask(world, "+79160000003", .unknown) == .messagesDay)
        world.clock.advance(by: .seconds(60))
        let midnight = world.clock.now.startOfNextDay
        await #expect(throws: ResendCode.Refusal.quota(QuotaRefusal(quota: .messagesDay, until: midnight))) {
            try await world.parts.routes.resendCode(first)
        }
        world.clock.set(to: midnight)
        #expect(try await self.ask(world, "+79160000003", .unknown) == nil)
    }

    @Test func `the answer of a quota says when, not which`() async throws {
        let world = try AuthWorld()
        try await world.client { client in
            for _ in 0..<5 { _ = try await client.challenge() }
            let refused = try await client.ask(.post, "/v1/challenges", #"{"phone":"+79161234567"}"#)
            #expect(refused.status == 429 && refused.problem == "too-many-codes")
            #expect(refused.headers[.retryAfter] == "3600")
            #expect(Quota.allCases.allSatisfy { !refused.text.contains($0.rawValue) })
        }
    }
}

@Suite(.authDatabase, .capturedLogs) struct ResendTests {
    @Test func `a resend repeats the same code with the same count of attempts`() async throws {
        let world = try AuthWorld()
        let challenge = try await world.challenge()
        let code = try await world.code(of: challenge)
        let device = DeviceName(userAgent: nil)
        for _ in 0..<2 {
            _ = try await world.parts.routes.logIn(challenge, answer: world.wrongCode(for: challenge), device: device)
        }
        world.clock.advance(by: .seconds(30))
        let resent = try await world.parts.routes.resendCode(challenge)
        #expect(resent.expiresAt == world.clock.now + .seconds(300))
        #expect(resent.resendAt == world.clock.now + .seconds(60))
        #expect(try await world.code(of: challenge) == code)
        let row = try await world.owner.one("select attempts, sends from auth.challenge")
        let (attempts, sends) = try row.decode(Int.self, Int.self)
        #expect(attempts == 2 && sends == 2)
        _ = try await world.parts.routes.logIn(challenge, answer: world.wrongCode(for: challenge), device: device)
        guard case .refused = try await world.parts.routes.logIn(challenge, answer: code, device: device) else {
            Issue.record("a resend gave a fourth attempt")
            return
        }
    }

    @Test func `ten resends at once are one`() async throws {
        let world = try AuthWorld()
        let challenge = try await world.challenge()
        world.clock.advance(by: .seconds(30))
        try await world.openConnections()
        let sent = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<10 {
                group.addTask { (try? await world.parts.routes.resendCode(challenge)) != nil }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(sent == 1)
    }

    @Test func `too early, closed and unknown challenges are refused through the route`() async throws {
        let world = try AuthWorld()
        try await world.client { client in
            let challenge = try await client.challenge()
            let early = try await client.ask(.post, "/v1/challenges/\(challenge)/resend")
            #expect(early.status == 429 && early.problem == "resend-too-early")
            #expect(early.headers[.retryAfter] == "30")
            world.clock.advance(by: .seconds(30))
            #expect(try await client.ask(.post, "/v1/challenges/\(challenge)/resend").status == 202)
            world.clock.advance(by: .seconds(600))
            let lapsed = try await client.ask(.post, "/v1/challenges/\(challenge)/resend")
            let unknown = try await client.ask(
                .post, "/v1/challenges/5f1c7d0e-93a1-4be2-8d64-0e0f7d1c9a55/resend")
            #expect(lapsed.status == 422 && lapsed.problem == "code-refused")
            #expect(unknown.text == lapsed.text)
        }
    }
}

import Contracts
import FoundationEssentials
import HTTPTypes
import HummingbirdTesting
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Auth

@Suite(.authDatabase, .capturedLogs) struct SessionRoutesTests {
    private struct Listed: Decodable {
        struct Entry: Decodable {
            let session: Session.ID
            let device: String
            let isCurrent: Bool
        }
        let sessions: [Entry]
    }

    private func list(_ client: any TestClientProtocol, _ token: String) async throws -> [Listed.Entry] {
        try await client.ask(.get, "/v1/me/sessions", token: token).read(Listed.self).sessions
    }

    @Test func `a member sees the devices, and logs one out without the other`() async throws {
        let world = try AuthWorld()
        try await world.subscribe("tests.events", to: SessionEnded.name)
        let first = try await world.register().tokens
        world.clock.advance(by: .seconds(60))
        let second = try await world.logInAgain()
        try await world.client { client in
            let devices = try await self.list(client, second.accessToken)
            #expect(devices.map(\.isCurrent) == [true, false])
            #expect(devices.allSatisfy { $0.device == "test" })
            let other = try #require(devices.last).session
            #expect(
                try await client.ask(.delete, "/v1/me/sessions/\(other)", token: second.accessToken).status == 204)
            #expect(
                try await client.ask(.delete, "/v1/me/sessions/\(other)", token: second.accessToken).status == 404)
            #expect(try await self.list(client, second.accessToken).count == 1)
            let refused = try await client.ask(.get, "/v1/me/sessions", token: first.accessToken)
            #expect(refused.status == 401 && refused.problem == "session-ended")
            let event = try #require(try await world.heard(SessionEnded.self).first)
            #expect(event.session == other)
            #expect(event.forgetAt >= first.accessExpiresAt)
        }
    }

    @Test func `nobody ends a session of somebody else, or learns that it is there`() async throws {
        let world = try AuthWorld()
        let mine = try await world.register().tokens
        let others = try await world.register("+79161234568").tokens
        try await world.client { client in
            let target = try #require(try await self.list(client, others.accessToken).first).session
            let refused = try await client.ask(.delete, "/v1/me/sessions/\(target)", token: mine.accessToken)
            let unknown = try await client.ask(
                .delete, "/v1/me/sessions/\(Session.ID(UUID()))", token: mine.accessToken)
            #expect(refused.status == 404 && refused.text == unknown.text)
            #expect(try await client.ask(.get, "/v1/me", token: others.accessToken).status == 200)
        }
    }

    @Test func `logging out everywhere ends every session and tells of each`() async throws {
        let world = try AuthWorld()
        try await world.subscribe("tests.events", to: SessionEnded.name)
        let first = try await world.register().tokens
        let second = try await world.logInAgain()
        let stranger = try await world.register("+79161234568").tokens
        try await world.client { client in
            let answer = try await client.ask(.delete, "/v1/me/sessions", token: second.accessToken)
            #expect(answer.status == 204)
            for token in [first.accessToken, second.accessToken] {
                #expect(try await client.ask(.get, "/v1/me", token: token).problem == "session-ended")
            }
            #expect(try await client.ask(.get, "/v1/me", token: stranger.accessToken).status == 200)
        }
        #expect(try await world.parts.routes.refresh(second.refreshToken) == nil)
        #expect(try await Set(world.heard(SessionEnded.self).map(\.session)).count == 2)
    }

    @Test func `a reused refresh token tells the other services and the member`() async throws {
        let world = try AuthWorld()
        try await world.subscribe("tests.events", to: SessionEnded.name)
        let token = try await world.register().tokens.refreshToken
        _ = try await world.parts.routes.refresh(token)
        world.clock.advance(by: .seconds(31))
        #expect(try await world.parts.routes.refresh(token) == nil)
        #expect(try await world.heard(SessionEnded.self).count == 1)
        #expect(try await world.waiting(Notify.name) == 1)
        _ = try await world.parts.routes.refresh(token)
        #expect(try await world.waiting(Notify.name) == 1, "told once")
    }
}

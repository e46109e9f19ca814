import Kernel
import Postgres
import TestSupport
import Testing

@testable import Auth

@Suite(.authDatabase, .capturedLogs) struct RefreshSessionTests {
    private func refresh(_ world: AuthWorld, _ token: OpaqueToken) async throws -> OpaqueToken? {
        try await world.parts.routes.refresh(token)?.refreshToken
    }

    private func endings(_ world: AuthWorld) async throws -> [String?] {
        try await world.owner.query("select revoke_reason from auth.session").map { try $0.decode(String?.self) }
    }

    /// get-engram/engram PR 389, nightscout/nocturne PR 391, F3-Nation #375: rotation logged honest people out.
    @Test func `A25: two tabs that refresh at once both stay logged in, with the same token`() async throws {
        let world = try AuthWorld()
        var token = try await world.register().tokens.refreshToken
        try await world.openConnections()
        for _ in 0..<10 {
            let presented = token
            let successors = try await withThrowingTaskGroup(of: OpaqueToken?.self) { group in
                for _ in 0..<8 { group.addTask { try await self.refresh(world, presented) } }
                return try await group.reduce(into: [OpaqueToken?]()) { $0.append($1) }
            }
            #expect(Set(successors).count == 1)
            token = try #require(successors.first ?? nil)
            world.clock.advance(by: .seconds(600))
        }
        #expect(try await self.endings(world) == [nil])
    }

    @Test func `A25: a tab that comes late gets the newest token, not one that is used up`() async throws {
        let world = try AuthWorld()
        let token = try await world.register().tokens.refreshToken
        let second = try #require(try await self.refresh(world, token))
        world.clock.advance(by: .seconds(10))
        let third = try #require(try await self.refresh(world, second))
        world.clock.advance(by: .seconds(20))
        #expect(try await self.refresh(world, token) == third)
        world.clock.advance(by: .seconds(600))
        #expect(try await self.refresh(world, third) != nil)
        #expect(try await self.endings(world) == [nil])
    }

    @Test func `A25: a token used again after the grace ends the whole family`() async throws {
        let world = try AuthWorld()
        let token = try await world.register().tokens.refreshToken
        let successor = try #require(try await self.refresh(world, token))
        world.clock.advance(by: .seconds(31))
        #expect(try await self.refresh(world, token) == nil)
        #expect(try await self.endings(world) == ["reuse"])
        #expect(try await self.refresh(world, successor) == nil)
        #expect(!CapturedLogs.text.contains(token.reveal()))
    }

    @Test func `ending one session leaves the member's others alone`() async throws {
        let world = try AuthWorld()
        let phone = try await world.register().tokens.refreshToken
        guard case .member(let laptop) = try await world.logIn() else { throw UnexpectedOutcome() }
        _ = try await self.refresh(world, phone)
        world.clock.advance(by: .seconds(31))
        #expect(try await self.refresh(world, phone) == nil)
        #expect(try await self.refresh(world, laptop.refreshToken) != nil)
    }

    @Test func `a token that nobody used for sixty days is refused`() async throws {
        let world = try AuthWorld()
        let token = try await world.register().tokens.refreshToken
        world.clock.advance(by: .seconds(60 * 86_400))
        #expect(try await self.refresh(world, token) == nil)
        #expect(try await self.endings(world) == [nil])
    }

    @Test func `what was never issued is refused`() async throws {
        let world = try AuthWorld()
        _ = try await world.register()
        #expect(try await self.refresh(world, OpaqueToken(.seeded(77))) == nil)
    }

    @Test func `no table holds a refresh token that could be used`() async throws {
        let world = try AuthWorld()
        let token = try await world.register().tokens.refreshToken
        let successor = try #require(try await self.refresh(world, token))
        let dump = try await world.dump()
        for bytes in [token, successor].compactMap({ Base64URL.decode($0.reveal()) }) {
            #expect(!dump.contains(bytes.hex))
        }
    }
}

import Crypto
import FoundationEssentials
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Auth

@Suite(.authDatabase, .capturedLogs) struct TillKeyTests {
    private func issue(_ world: AuthWorld, scopes: [String] = ["receipts", "spend"]) async throws -> IssueTillKey.Issued
    {
        let issue = IssueTillKey(database: world.database, bus: world.bus, clock: world.clock, random: world.random)
        return try await issue(store: StoreID("store-7"), scopes: scopes, label: "Касса 1")
    }

    private func find(_ world: AuthWorld, _ id: String) async throws -> TillKeyStore.StoredKey? {
        try await world.database.transaction { try await TillKeyStore().find(id, in: $0) }
    }

    @Test func `a key is shown once and kept as a hash, and everybody who checks keys hears of it`() async throws {
        let world = try AuthWorld()
        try await world.subscribe("promotions.events", to: "auth.till-key-changed")
        let issued = try await self.issue(world)
        let secret = try #require(issued.key.text.split(separator: "_").last.map(String.init))
        let stored = try #require(try await self.find(world, issued.id))
        #expect(stored.secretHash == Array(SHA256.hash(data: Array(secret.utf8))))
        #expect(stored.scopes == ["receipts", "spend"])
        #expect(!stored.isRevoked)
        let dump = try await world.dump()
        #expect(!dump.contains(secret))
        #expect(!dump.contains(Array(secret.utf8).hex))
        #expect(dump.contains("auth.till-key-changed"))
        #expect(!CapturedLogs.text.contains(secret))
    }

    @Test func `a key is revoked once and stays revoked`() async throws {
        let world = try AuthWorld()
        let issued = try await self.issue(world)
        let revoke = RevokeTillKey(database: world.database, bus: world.bus, clock: world.clock)
        world.clock.advance(by: .seconds(1))
        #expect(try await revoke(issued.id))
        #expect(try await !revoke(issued.id))
        #expect(try await !revoke("nobody"))
        let stored = try #require(try await self.find(world, issued.id))
        #expect(stored.isRevoked && stored.changedAt == world.clock.now)
    }

    @Test(arguments: [[], [""], ["Receipts"], ["a b"], [String(repeating: "a", count: 33)]])
    func `a key without proper scopes is not made`(scopes: [String]) async throws {
        let world = try AuthWorld()
        await #expect(throws: TillKeyInvalid.scopes) { try await self.issue(world, scopes: scopes) }
        #expect(try await world.count("auth.till_key") == 0)
    }
}

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

    @Test func `a key and its successor are both good for a while, and then the old one is revoked and everybody told`()
        async throws
    {
        let world = try AuthWorld()
        let issued = try await self.issue(world)
        let rotate = RotateTillKey(database: world.database, bus: world.bus, clock: world.clock, random: world.random)
        let successor = try #require(try await rotate(issued.id, overlap: .seconds(7 * 86_400)))
        let new = try #require(try await self.find(world, successor.id))
        #expect(new.scopes == ["receipts", "spend"] && new.store == StoreID("store-7") && !new.isRevoked)
        #expect(successor.key.text != issued.key.text)
        // A key has one successor.
        #expect(try await rotate(issued.id, overlap: .zero) == nil)
        #expect(try await rotate("nobody", overlap: .zero) == nil)
        world.clock.advance(by: .seconds(7 * 86_400 - 1))
        try await world.parts.keepHouse()
        #expect(try await self.find(world, issued.id)?.isRevoked == false)
        world.clock.advance(by: .seconds(1))
        try await world.subscribe("promotions.events", to: "auth.till-key-changed")
        try await world.parts.keepHouse()
        #expect(try await self.find(world, issued.id)?.isRevoked == true)
        #expect(try await self.find(world, successor.id)?.isRevoked == false)
        let told = try await world.owner.query("select args ->> 'key' from queue.job").map {
            try $0.decode(String.self)
        }
        #expect(told.count == 1 && told.allSatisfy { $0.contains(issued.id) && $0.contains("true") })
    }

    @Test func `a rotation without overlap ends the old key at once`() async throws {
        let world = try AuthWorld()
        let issued = try await self.issue(world)
        let rotate = RotateTillKey(database: world.database, bus: world.bus, clock: world.clock, random: world.random)
        #expect(try await rotate(issued.id, overlap: .zero) != nil)
        #expect(try await self.find(world, issued.id)?.isRevoked == true)
    }
}

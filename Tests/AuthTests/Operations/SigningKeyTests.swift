import FoundationEssentials
import Kernel
import Postgres
import TestSupport
import Testing
import Web

@testable import Auth

@Suite(.authDatabase, .capturedLogs) struct SigningKeyTests {
    private struct KeySet: Decodable {
        let keys: [Key]

        struct Key: Decodable {
            let kid: String
        }
    }

    private func published(_ world: AuthWorld) async throws -> [String] {
        let text = try await world.parts.signer.publicKeys()
        return try JSONDecoder().decode(KeySet.self, from: Data(text.utf8)).keys.map(\.kid)
    }

    private func sign(_ world: AuthWorld) async throws -> String {
        try await world.parts.signer.signAccessToken(
            member: IDGenerator.seeded().next(), session: IDGenerator.seeded(2).next()
        ).text
    }

    private func keyName(_ token: String) throws -> String {
        let header = try #require(token.split(separator: ".").first.flatMap { Base64URL.decode(String($0)) })
        return try JSONDecoder().decode(KeySet.Key.self, from: Data(header)).kid
    }

    @Test func `a rotation keeps old tokens good until they expire`() async throws {
        let world = try AuthWorld()
        let old = try await self.sign(world)
        let rotated = try await world.parts.rotate(.asked)
        #expect(rotated)
        world.clock.advance(by: .seconds(299))
        #expect(
            try self.keyName(old) == self.keyName(await self.sign(world)), "the new key is published before it signs")
        #expect(try await self.published(world).count == 2)

        let last = try await self.sign(world)
        world.clock.advance(by: .seconds(1))
        let new = try await self.sign(world)
        #expect(try self.keyName(new) != self.keyName(old))
        world.clock.advance(by: .seconds(590))
        try await world.parts.keepHouse()
        for token in [last, new] { _ = try await world.parts.routes.verifier.verify(token) }
        let refusal = await #expect(throws: Problem.self) { try await world.parts.routes.verifier.verify(old) }
        #expect(refusal?.kind == .tokenExpired)
    }

    @Test func `a key that stopped signing loses its private half, then goes`() async throws {
        let world = try AuthWorld()
        _ = try await self.sign(world)
        try await world.parts.rotate(.asked)
        world.clock.advance(by: .seconds(300))
        try await world.parts.keepHouse()
        let halves = try await world.owner.query(
            "select private_key is null from auth.signing_key order by signs_from"
        ).map { try $0.decode(Bool.self) }
        #expect(halves == [true, false])
        world.clock.advance(by: .seconds(660))
        try await world.parts.keepHouse()
        #expect(try await world.count("auth.signing_key") == 1)
        #expect(try await self.published(world).count == 1)
    }

    @Test func `keys rotate by themselves when it is time, once`() async throws {
        let world = try AuthWorld()
        try await world.parts.keepHouse()
        try await world.parts.keepHouse()
        #expect(try await world.count("auth.signing_key") == 1)
        world.clock.advance(by: .seconds(30 * 86_400))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 { group.addTask { try await world.parts.keepHouse() } }
            try await group.waitForAll()
        }
        #expect(try await world.count("auth.signing_key") == 2)
    }

    @Test func `private keys lie sealed`() async throws {
        let world = try AuthWorld()
        _ = try await self.sign(world)
        let row = try await world.owner.one("select key_id, private_key from auth.signing_key")
        let (id, sealed) = try row.decode(String.self, [UInt8].self)
        #expect(sealed.count > 32)
        #expect(try world.vault.open(sealed, at: SigningKeyStore.place(of: id)).count == 32)
        let stranger = try #require(
            Vault(master: Secret([UInt8](repeating: 9, count: 32)), lookup: AuthWorld.lookup))
        #expect(throws: Envelope.Damaged.self) { try stranger.open(sealed, at: SigningKeyStore.place(of: id)) }
    }
}

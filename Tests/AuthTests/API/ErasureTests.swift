import Contracts
import FoundationEssentials
import HTTPTypes
import HummingbirdTesting
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Auth

@Suite(.authDatabase, .capturedLogs) struct ErasureTests {
    private func erase(_ world: AuthWorld, _ token: String) async throws {
        try await world.client { client in
            let asked = try await client.action("/v1/me/erasures", token)
            let answer = try await client.confirm("/v1/me/erasures/\(asked.id)", world.code(of: asked.id), token)
            #expect(answer.status == 204, "\(answer.text)")
            #expect(try await client.ask(.get, "/v1/me", token: token).problem == "session-ended")
        }
    }

    @Test func `whoever leaves is gone: nothing opens, nothing finds them, the others hear of it`() async throws {
        let world = try AuthWorld()
        try await world.subscribe("tests.events", to: MemberErased.name)
        try await world.subscribe("tests.events", to: SessionEnded.name)
        let registered = try await world.register()
        let key = try await world.owner.one(
            "select wrapped_key, full_name from auth.personal_data where member_id = \(registered.member)")
        let (wrapped, name) = try key.decode([UInt8].self, [UInt8].self)
        try await world.owner.execute(
            """
            insert into auth.device_token (session_id, platform, token, set_at)
            select session_id, 'ios', 'sealed', now()
            from auth.session
            """)
        try await self.erase(world, registered.tokens.accessToken)

        #expect(try await world.count("auth.device_token") == 0)
        #expect(try await world.heard(MemberErased.self).map(\.member) == [registered.member])
        #expect(try await world.heard(SessionEnded.self).count == 1)
        let dump = try await world.dump()
        #expect(!dump.contains(wrapped.hex) && !dump.contains(name.hex))
        #expect(!dump.contains(world.vault.index(try PhoneNumber(parsing: "+79161234567")).hex.uppercased()))
        let left = try await world.owner.one(
            """
            select count(*)
            from auth.challenge
            where phone_index = \(world.vault.index(try PhoneNumber(parsing: "+79161234567")))
            """
        ).decode(Int.self)
        #expect(left == 0)
        let (standing, holder) = try await world.database.transaction { transaction in
            (
                try await StandingStore().find(registered.member, on: transaction),
                try await MemberStore().find(card: registered.card, in: transaction)
            )
        }
        #expect(standing == nil && holder == nil)
    }

    @Test func `the phone is free again, and the newcomer is somebody else`() async throws {
        let world = try AuthWorld()
        let registered = try await world.register()
        try await self.erase(world, registered.tokens.accessToken)
        let again = try await world.register()
        #expect(again.member != registered.member)
    }

    @Test func `the consents stay provable`() async throws {
        let world = try AuthWorld()
        let registered = try await world.register()
        let before = try await world.count("auth.consent")
        try await self.erase(world, registered.tokens.accessToken)
        #expect(try await world.count("auth.consent") == before)
    }

    @Test func `the database refuses an erasure by halves`() async throws {
        let world = try AuthWorld()
        let registered = try await world.register()
        let error = await #expect(throws: DatabaseError.self) {
            try await world.owner.execute(
                "update auth.personal_data set erased_at = now() where member_id = \(registered.member)")
        }
        #expect(error?.constraint == "personal_data_erased")
    }
}

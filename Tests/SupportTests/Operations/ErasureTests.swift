import Contracts
import FoundationEssentials
import HTTPTypes
import HummingbirdTesting
import JobQueue
import Kernel
import Postgres
import TestSupport
import Testing
import Web

@testable import Support

@Suite(.supportDatabase, .capturedLogs) struct ErasureTests {
    private let neighbours = Neighbours()

    /// Every row of every table of support as text.
    private func dump(_ world: SupportWorld) async throws -> String {
        let tables = try await world.owner.query("select tablename from pg_tables where schemaname = 'support'").map {
            try $0.decode(String.self)
        }
        var text = ""
        for table in tables {
            for row in try await world.owner.query("select t::text from \(identifier: "support", table) t") {
                text += try row.decode(String.self) + "\n"
            }
        }
        // What was kept of answers is bytes.
        for row in try await world.owner.query("select convert_from(body, 'UTF8') from support.idempotency_key") {
            text += try row.decode(String.self) + "\n"
        }
        return text
    }

    @Test func `an erased member's words, photos and address are nowhere any more, others' stay`() async throws {
        let world = try SupportWorld()
        let staff = Staff.ID(world.ids.uuid())
        try await self.neighbours.run(around: world) {
            try await world.client { client in
                let (token, colleague) = (try await world.token(), try await world.token(staff, .support))
                let opened = try await client.open(
                    token, text: "Тайна Анны", extra: #", "email": "anna@example.org""#)
                let path = "/staff/v1/tickets/\(opened.id)"
                _ = try await client.ask(.post, "\(path)/answers", #"{"text": "Тайна в ответе"}"#, token: colleague)
                _ = try await client.ask(.post, "\(path)/notes", #"{"text": "Тайна в заметке"}"#, token: colleague)
                _ = try await client.ask(.put, "\(path)/tags", #"{"tags": ["Тайна"]}"#, token: colleague)
                if LibVips.isInstalled {
                    let photo = try await client.send(
                        .post, "/v1/tickets/\(opened.id)/photos", try SupportWorld.fixture("gps.jpg"),
                        type: "image/jpeg", token: token)
                    #expect(photo.status == 201)
                }
                let other = try await client.open(try await world.token(world.stranger), text: "Вопрос Бориса")
                #expect(try await self.dump(world).contains("Тайна"))

                try await world.owner.transaction { transaction in
                    try await SupportWorld.bus("auth", world.owner).publish(
                        MemberErased(member: world.member, erasedAt: SupportWorld.noon), in: transaction)
                }
                try await eventually("the texts are destroyed") {
                    try await world.count("select count(*) from support.ticket where erased_at is not null") == 1
                }
                let left = try await self.dump(world)
                for secret in ["Тайн", "anna@", "@example.org", "\\xffd8ff"] {
                    #expect(!left.contains(secret), "\(secret)")
                }
                #expect(left.contains("Вопрос Бориса"))
                #expect(try await client.ask(.get, "/v1/tickets/\(opened.id)", token: token).status == 404)
                #expect(try await client.ask(.get, path, token: colleague).status == 404)
                let kept = try await client.ask(
                    .get, "/v1/tickets/\(other.id)", token: try await world.token(world.stranger))
                #expect(kept.status == 200)
                // A late letter does not bring it back.
                let address = ReplyAddress(opened.id).address(domain: SupportWorld.domain, SupportWorld.keys)
                let letter = "From: anna@example.org\nTo: \(try #require(address).address)\n\nТайна в письме"
                #expect(try await world.parts.receive(Array(letter.utf8)) == .refused)
                #expect(try await !self.dump(world).contains("Тайн"))
            }
        }
    }
}

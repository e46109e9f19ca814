import FoundationEssentials
import HTTPTypes
import HummingbirdTesting
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Support

@Suite(.supportDatabase, .capturedLogs) struct OpenFormTests {
    private struct ChallengeSeen: Decodable {
        let challenge: String
        let bits: UInt8
    }

    private struct OpenedSeen: Decodable {
        let ticket: SummarySeen
        let key: String
    }

    private func solved(_ client: any TestClientProtocol) async throws -> (challenge: String, solution: String) {
        let seen: ChallengeSeen = try await client.ask(.post, "/v1/proof-challenges").read()
        let solution = (0..<10_000_000).lazy.map(String.init).first {
            ProofChallenge.isSolved(seen.challenge, by: $0, bits: seen.bits)
        }
        return (seen.challenge, try #require(solution))
    }

    private func form(_ proof: (challenge: String, solution: String), text: String = "Где магазин?") -> String {
        """
        {"reason": "other", "text": "\(text)", "email": "anna@example.org",
         "proof": {"challenge": "\(proof.challenge)", "solution": "\(proof.solution)"}}
        """
    }

    @Test func `a solved puzzle opens a ticket, once, and its key opens it again`() async throws {
        let world = try SupportWorld()
        try await world.client { client in
            let proof = try await self.solved(client)
            let body = self.form(proof)
            let opened = try await client.ask(.post, "/v1/open-tickets", body, key: "1")
            #expect(opened.status == 201, "\(opened.text)")
            // The same request again is the same ticket; another one needs another puzzle.
            #expect(try await client.ask(.post, "/v1/open-tickets", body, key: "1").text == opened.text)
            let again = try await client.ask(.post, "/v1/open-tickets", self.form(proof, text: "Ещё"), key: "2")
            #expect(again.problem == "proof-used")
            let key = try opened.read(OpenedSeen.self).key
            let replied = try await client.ask(
                .post, "/v1/open-tickets/\(key)/messages", #"{"text": "На Полянке"}"#)
            #expect(replied.status == 201)
            let seen: TicketSeen = try await client.ask(.get, "/v1/open-tickets/\(key)").read()
            #expect(seen.messages.map(\.text) == ["Где магазин?", "На Полянке"])
            #expect(try await client.ask(.get, "/v1/open-tickets/\(key)x").status == 404)
            #expect(try await client.ask(.get, "/v1/open-tickets/\(seen.ticket.id)").status == 404)
            // A member has no way to it by its id.
            let token = try await world.token()
            #expect(try await client.ask(.get, "/v1/tickets/\(seen.ticket.id)", token: token).status == 404)
        }
        #expect(try await world.count("select count(*) from support.ticket") == 1)
    }

    @Test func `without the right solution, in time, nothing is opened`() async throws {
        let world = try SupportWorld()
        try await world.client { client in
            let proof = try await self.solved(client)
            let wrong = (0..<1000).lazy.map(String.init).first {
                !ProofChallenge.isSolved(proof.challenge, by: $0, bits: 8)
            }
            let bodies = [
                self.form((proof.challenge, try #require(wrong))), self.form(("made.up.by.me", proof.solution)),
            ]
            for body in bodies {
                #expect(try await client.ask(.post, "/v1/open-tickets", body).problem == "proof-invalid")
            }
            let noMail = self.form(proof).replacing(#""email": "anna@example.org","#, with: "", maxReplacements: 1)
            #expect(try await client.ask(.post, "/v1/open-tickets", noMail).problem == "email-required")
            world.clock.advance(by: .seconds(1801))
            #expect(try await client.ask(.post, "/v1/open-tickets", self.form(proof)).problem == "proof-invalid")
        }
        #expect(try await world.count("select count(*) from support.ticket") == 0)
    }

    @Test func `one address may not ask without end`() async throws {
        let world = try SupportWorld()
        try await world.client { client in
            for _ in 0..<20 {
                let proof = try await self.solved(client)
                #expect(try await client.ask(.post, "/v1/open-tickets", self.form(proof)).status == 201)
            }
            let proof = try await self.solved(client)
            #expect(try await client.ask(.post, "/v1/open-tickets", self.form(proof)).problem == "too-many-tickets")
        }
    }
}

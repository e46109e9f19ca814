import Contracts
import FoundationEssentials
import HTTPTypes
import HummingbirdTesting
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Auth

@Suite(.authDatabase, .capturedLogs) struct ProfileRoutesTests {
    private func patch(
        _ client: any TestClientProtocol, _ body: String, _ token: String
    ) async throws -> Answered {
        try await client.ask(.patch, "/v1/me", body, token: token)
    }

    @Test func `a member edits the profile, and each change leaves a trace that only the export opens`() async throws {
        let world = try AuthWorld()
        let token = try await world.register().tokens.accessToken
        try await world.client { client in
            let answer = try await self.patch(
                client,
                """
                {"fullName":{"last":"Петрова","first":"Анна"},"birthday":"1984-02-29","favouriteStore":"1204",
                 "language":"en"}
                """, token)
            #expect(answer.status == 200, "\(answer.text)")
            let profile = try answer.read(WholeProfileSeen.self)
            #expect(profile.fullName.last == "Петрова" && profile.birthday == "1984-02-29")
            #expect(profile.favouriteStore == "1204" && profile.language == "en")
            let cleared = try await self.patch(client, #"{"favouriteStore":null}"#, token)
            #expect(try cleared.read(WholeProfileSeen.self).favouriteStore == nil)
            #expect(try cleared.read(WholeProfileSeen.self).birthday == "1984-02-29", "what is absent stays")

            let export = try await client.ask(.get, "/v1/me/export", token: token)
            let changes = try export.read(ExportSeen.self).changes
            #expect(
                changes.map(\.field) == ["full-name", "birthday", "favourite-store", "language", "favourite-store"])
            #expect(changes.first?.before == "Иванова Анна Петровна" && changes.first?.after == "Петрова Анна")
        }
        let dump = try await world.dump()
        #expect(!dump.contains("Петрова") && !dump.contains("1984-02-29"))
    }

    private struct ExportSeen: Decodable {
        struct Change: Decodable {
            let field: String
            let before: String?
            let after: String?
        }
        struct Consent: Decodable { let purpose: String }
        struct Card: Decodable { let card: CardNumber }
        let profile: WholeProfileSeen
        let cards: [Card]
        let consents: [Consent]
        let changes: [Change]
    }

    @Test func `a birthday is set once, corrected once, and then stays`() async throws {
        let world = try AuthWorld()
        let token = try await world.register().tokens.accessToken
        try await world.client { client in
            for day in ["1984-02-28", "1984-02-29"] {
                #expect(try await self.patch(client, #"{"birthday":"\#(day)"}"#, token).status == 200)
            }
            #expect(try await self.patch(client, #"{"birthday":"1984-02-29"}"#, token).status == 200, "the same again")
            let refused = try await self.patch(client, #"{"birthday":"1984-03-01"}"#, token)
            #expect(refused.status == 409 && refused.problem == "birthday-fixed")
        }
        let error = await #expect(throws: DatabaseError.self) {
            try await world.owner.execute("update auth.member set birthday_changes = birthday_changes + 1")
        }
        #expect(error?.code == .checkViolation)
    }

    @Test(arguments: [
        ("1984-02-30", 400, "invalid-value"), ("84-02-01", 400, "invalid-value"), ("2020-01-01", 422, "too-young"),
        ("2012-03-03", 422, "too-young"), ("2030-01-01", 422, "too-young"),
    ])
    func `a birthday that cannot be is refused`(day: String, status: Int, code: String) async throws {
        let world = try AuthWorld()
        let token = try await world.register().tokens.accessToken
        try await world.client { client in
            let answer = try await self.patch(client, #"{"birthday":"\#(day)"}"#, token)
            #expect(answer.status == status && answer.problem == code)
            // Fourteen years old since yesterday, in Moscow.
            #expect(try await self.patch(client, #"{"birthday":"2012-03-02"}"#, token).status == 200)
        }
    }

    @Test func `the trace of changes cannot be changed`() async throws {
        let world = try AuthWorld()
        let token = try await world.register().tokens.accessToken
        _ = try await world.client { try await self.patch($0, #"{"language":"en"}"#, token) }
        for statement in ["update auth.profile_change set field = 'email'", "delete from auth.profile_change"] as [SQL]
        {
            let error = await #expect(throws: DatabaseError.self) { try await world.owner.execute(statement) }
            #expect(error?.sqlState == "23001")
        }
    }

    @Test func `an address becomes the member's with a code that was sent there`() async throws {
        let world = try AuthWorld()
        let token = try await world.register().tokens.accessToken
        try await world.client { client in
            let asked = try await client.ask(.post, "/v1/me/email", #"{"email":"anna@Example.org"}"#, token: token)
            #expect(asked.status == 202, "\(asked.text)")
            let id = try asked.read(MailedSeen.self).id
            #expect(try await world.waiting(Notify.name) == 1)
            #expect(try await client.ask(.get, "/v1/me", token: token).read(WholeProfileSeen.self).email == nil)
            let code = try await world.mailedCode(id, to: "anna@example.org")
            let wrong = String(code.reversed()) == code ? "000000" : String(code.reversed())
            #expect(try await client.confirm("/v1/me/email/\(id)", wrong, token).problem == "code-refused")
            let done = try await client.confirm("/v1/me/email/\(id)", code, token)
            #expect(try done.read(WholeProfileSeen.self).email == "anna@example.org")
            #expect(try await client.confirm("/v1/me/email/\(id)", code, token).status == 422, "single use")
            #expect(try await client.ask(.delete, "/v1/me/email", token: token).status == 204)
            #expect(try await client.ask(.get, "/v1/me", token: token).read(WholeProfileSeen.self).email == nil)
            #expect(try await world.waiting(Notify.name) == 2, "the old address is told")
        }
        #expect(try await !world.dump().contains("example.org"))
    }

    @Test func `three wrong guesses close a code by mail, five an hour are sent, and none is good for another`()
        async throws
    {
        let world = try AuthWorld()
        let token = try await world.register().tokens.accessToken
        let stranger = try await world.register("+79161234568").tokens.accessToken
        try await world.client { client in
            let body = #"{"email":"anna@example.org"}"#
            let id = try await client.ask(.post, "/v1/me/email", body, token: token).read(MailedSeen.self).id
            let code = try await world.mailedCode(id, to: "anna@example.org")
            #expect(try await client.confirm("/v1/me/email/\(id)", code, stranger).status == 422)
            let wrong = code == "000000" ? "000001" : "000000"
            for _ in 0..<3 { #expect(try await client.confirm("/v1/me/email/\(id)", wrong, token).status == 422) }
            #expect(try await client.confirm("/v1/me/email/\(id)", code, token).status == 422)
            for _ in 0..<4 { #expect(try await client.ask(.post, "/v1/me/email", body, token: token).status == 202) }
            let refused = try await client.ask(.post, "/v1/me/email", body, token: token)
            #expect(refused.status == 429 && refused.problem == "too-many-codes")
        }
    }
}

import Contracts
import FoundationEssentials
import HTTPTypes
import HummingbirdTesting
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Auth

@Suite(.authDatabase, .capturedLogs) struct ConsentRoutesTests {
    private func choose(
        _ client: any TestClientProtocol, _ purpose: String, _ channel: String, _ granted: Bool, _ token: String
    ) async throws -> Answered {
        try await client.ask(
            .post, "/v1/me/consents", #"{"purpose":"\#(purpose)","channel":"\#(channel)","granted":\#(granted)}"#,
            token: token)
    }

    private func sources(_ world: AuthWorld) async throws -> [String] {
        try await world.owner.query(
            """
            select purpose || '/' || channel || '/' || granted || '/' || source
            from auth.consent
            where source <> 'web'
            order by consent_id
            """
        ).map { try $0.decode(String.self) }
    }

    @Test func `advertising by SMS takes a second yes, by a code to the phone, and no counts at once`() async throws {
        let world = try AuthWorld()
        let token = try await world.register().tokens.accessToken
        try await world.client { client in
            let asked = try await self.choose(client, "marketing", "sms", true, token)
            #expect(asked.status == 202, "\(asked.text)")
            #expect(try await self.sources(world) == [], "nothing is recorded before the code comes")
            let id = try asked.read(MailedSeen.self).id
            let path = "/v1/me/consents/\(id)"
            #expect(try await client.confirm(path, world.wrongCode(for: id), token).problem == "code-refused")
            let done = try await client.confirm(path, world.code(of: id), token)
            #expect(try done.read(WholeProfileSeen.self).isGranted("marketing", "sms"))
            #expect(try await client.confirm(path, world.code(of: id), token).status == 422, "single use")
            let withdrawn = try await self.choose(client, "marketing", "sms", false, token)
            #expect(withdrawn.status == 200)
            #expect(try !withdrawn.read(WholeProfileSeen.self).isGranted("marketing", "sms"))
        }
        #expect(try await self.sources(world) == ["marketing/sms/true/code", "marketing/sms/false/cabinet"])
    }

    @Test func `whether purchases may be looked at is told to the others, in the order of the decisions`() async throws
    {
        let world = try AuthWorld()
        try await world.subscribe("tests.events", to: ProfilingChanged.name)
        let registered = try await world.register()
        let token = registered.tokens.accessToken
        try await world.client { client in
            let first = try await self.choose(client, "profiling", "any", false, token)
            let other = try await self.choose(client, "reminders", "email", true, token)
            world.clock.advance(by: .seconds(1))
            let last = try await self.choose(client, "profiling", "any", true, token)
            #expect([first.status, other.status, last.status] == [200, 200, 200])
        }
        let heard = try await world.heard(ProfilingChanged.self)
        #expect(heard.map(\.isAllowed) == [false, true])
        #expect(heard.map(\.changedAt) == [world.clock.now - .seconds(1), world.clock.now])
        #expect(heard.allSatisfy { $0.member == registered.member })
    }

    @Test func `the code for advertising logs nobody in, and is nobody else's`() async throws {
        let world = try AuthWorld()
        let token = try await world.register().tokens.accessToken
        let stranger = try await world.register("+79161234568").tokens.accessToken
        try await world.client { client in
            let id = try await self.choose(client, "marketing", "sms", true, token).read(MailedSeen.self).id
            #expect(try await client.logIn(id, world.code(of: id)).status == 422)
            #expect(try await client.confirm("/v1/me/consents/\(id)", world.code(of: id), stranger).status == 422)
        }
        #expect(try await self.sources(world) == [])
    }

    @Test func `advertising by e-mail takes a proved address and a code to it`() async throws {
        let world = try AuthWorld()
        let token = try await world.register().tokens.accessToken
        try await world.client { client in
            let none = try await self.choose(client, "marketing", "email", true, token)
            #expect(none.status == 409 && none.problem == "no-address")
            let email = try await client.ask(
                .post, "/v1/me/email", #"{"email":"anna@example.org"}"#, token: token
            ).read(MailedSeen.self).id
            let proof = try await world.mailedCode(email, to: "anna@example.org")
            #expect(
                try await client.confirm("/v1/me/consents/\(email)", proof, token).status == 422,
                "the code of the address is no consent")
            #expect(try await client.confirm("/v1/me/email/\(email)", proof, token).status == 200)
            let id = try await self.choose(client, "marketing", "email", true, token).read(MailedSeen.self).id
            let code = try await world.mailedCode(id, to: "anna@example.org")
            #expect(try await client.confirm("/v1/me/email/\(id)", code, token).status == 422)
            let done = try await client.confirm("/v1/me/consents/\(id)", code, token)
            #expect(try done.read(WholeProfileSeen.self).isGranted("marketing", "email"))
        }
    }

    @Test func `reminders and profiling are chosen at once, each channel apart`() async throws {
        let world = try AuthWorld()
        let token = try await world.register().tokens.accessToken
        try await world.client { client in
            #expect(try await self.choose(client, "reminders", "email", true, token).status == 200)
            let profile = try await self.choose(client, "profiling", "any", false, token).read(WholeProfileSeen.self)
            #expect(profile.isGranted("reminders", "email") && !profile.isGranted("reminders", "sms"))
        }
        #expect(
            try await self.sources(world) == ["reminders/email/true/cabinet", "profiling/any/false/cabinet"])
    }

    @Test(arguments: [
        ("terms", "any", 422, "consent-required"), ("personal-data", "any", 422, "consent-required"),
        ("marketing", "any", 422, "consent-channel"), ("profiling", "sms", 422, "consent-channel"),
        ("everything", "any", 400, "invalid-value"),
    ])
    func `what cannot be chosen is refused`(purpose: String, channel: String, status: Int, code: String) async throws {
        let world = try AuthWorld()
        let token = try await world.register().tokens.accessToken
        try await world.client { client in
            let answer = try await self.choose(client, purpose, channel, false, token)
            #expect(answer.status == status && answer.problem == code, "\(answer.text)")
        }
        #expect(try await self.sources(world) == [])
    }
}

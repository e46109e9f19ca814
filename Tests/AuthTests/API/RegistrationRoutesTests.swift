import Contracts
import FoundationEssentials
import HTTPTypes
import HummingbirdTesting
import Kernel
import Postgres
import TestSupport
import Testing
import Web

@testable import Auth

/// The ways to become a member beside the web: the support line, a paper form, a printed card.
@Suite(.authDatabase, .capturedLogs) struct RegistrationRoutesTests {
    private static let phone = "+79161234567"
    private static let consents = #""consents":{"terms":true,"personalData":true,"marketing":false}"#

    private struct OfferSeen: Decodable {
        let registration: String
        let draftName: FullName?
    }

    private struct FormSeen: Decodable {
        let member: Member.ID
        let card: CardNumber
        let confirmAt: Timestamp
    }

    private func offer(_ world: AuthWorld, _ client: any TestClientProtocol) async throws -> OfferSeen {
        let challenge = try await client.challenge(Self.phone)
        return try await client.logIn(challenge, world.code(of: challenge)).read()
    }

    private func register(
        _ client: any TestClientProtocol, _ ticket: String, _ more: String = ""
    ) async throws -> Answered {
        try await client.ask(
            .post, "/v1/registrations",
            """
            {"registration":"\(ticket)","fullName":{"last":"Иванова","first":"Анна"},\(more)\(Self.consents)}
            """)
    }

    private func paperForm(
        _ client: any TestClientProtocol, _ token: String, number: String = "A-1", phone: String = phone,
        more: String = ""
    ) async throws -> Answered {
        try await client.ask(
            .post, "/v1/staff/paper-forms",
            """
            {"formNumber":"\(number)","store":"1204","fullName":{"last":"Иванова","first":"Анна"},
             "phone":"\(phone)","birthday":"1984-02-29","marketing":true\(more)}
            """, token: token)
    }

    @Test func `on the web: a member has joined, with a card`() async throws {
        let world = try AuthWorld()
        try await world.subscribe("tests.events", to: MemberJoined.name)
        try await world.client { client in
            let ticket = try await self.offer(world, client).registration
            let answer = try await self.register(client, ticket, #""birthday":"1984-02-29","#)
            #expect(answer.status == 201, "\(answer.text)")
        }
        #expect(try await world.heard(MemberJoined.self).map(\.way) == ["web"])
    }

    @Test func `the support line fills in, the caller confirms by SMS, and no colleague sees a code`() async throws {
        let world = try AuthWorld()
        try await world.subscribe("tests.events", to: MemberJoined.name)
        let support = try await world.staffToken([.support])
        try await world.client { client in
            let drafted = try await client.ask(
                .post, "/v1/staff/registration-drafts",
                #"{"fullName":{"last":"Иванова","first":"Анна"},"phone":"\#(Self.phone)"}"#, token: support)
            #expect(drafted.status == 201, "\(drafted.text)")
            #expect(try await world.waiting(Notify.name) == 1)
            #expect(try await world.count("auth.member") == 0)
            let offer = try await self.offer(world, client)
            #expect(offer.draftName == FullName(last: "Иванова", first: "Анна"))
            #expect(try await self.register(client, offer.registration).status == 201)
            let again = try await client.ask(
                .post, "/v1/staff/registration-drafts",
                #"{"fullName":{"last":"Иванова","first":"Анна"},"phone":"\#(Self.phone)"}"#, token: support)
            #expect(again.status == 409 && again.problem == "already-member")
        }
        #expect(try await world.heard(MemberJoined.self).map(\.way) == ["support"])
        #expect(try await world.count("auth.registration_draft") == 0)
        #expect(try await !world.dump().contains("Иванова"))
    }

    @Test func `a draft that nobody confirms is forgotten after two weeks`() async throws {
        let world = try AuthWorld()
        let support = try await world.staffToken([.support])
        try await world.client { client in
            _ = try await client.ask(
                .post, "/v1/staff/registration-drafts",
                #"{"fullName":{"last":"Иванова","first":"Анна"},"phone":"\#(Self.phone)"}"#, token: support)
            world.clock.advance(by: DraftRegistration.lifetime)
            #expect(try await self.offer(world, client).draftName == nil)
        }
        try await world.parts.keepHouse()
        #expect(try await world.count("auth.registration_draft") == 0)
    }

    @Test func `a paper form earns at once and is confirmed by time twenty calendar days later`() async throws {
        let world = try AuthWorld()
        for event in [MemberJoined.name, StandingChanged.name] { try await world.subscribe("tests.events", to: event) }
        let clerk = try await world.staffToken([.storeClerk])
        let form = try await world.client { client in
            try await self.paperForm(client, clerk).read(FormSeen.self)
        }
        func holder() async throws -> Member.ID? {
            try await world.database.transaction { try await MemberStore().find(card: form.card, in: $0) }
        }
        #expect(try await holder() == form.member)
        #expect(try await world.heard(StandingChanged.self).map(\.standing.isActive) == [false])
        // The morning of 2 March in Moscow, so the midnight that begins the 22nd.
        #expect(form.confirmAt == Timestamp("2026-03-21T21:00:00Z"))
        world.clock.set(to: form.confirmAt - .seconds(1))
        #expect(try await world.parts.members.confirmForms() == 0)
        world.clock.advance(by: .seconds(1))
        #expect(try await world.parts.members.confirmForms() == 1)
        #expect(try await world.parts.members.confirmForms() == 0)
        #expect(try await world.heard(StandingChanged.self).last?.standing.isActive == true)
        #expect(try await world.heard(MemberJoined.self).map(\.way) == ["paper"])
    }

    @Test func `two processes that confirm at once confirm each form once`() async throws {
        let world = try AuthWorld()
        try await world.subscribe("tests.events", to: MemberJoined.name)
        let clerk = try await world.staffToken([.storeClerk])
        try await world.client { client in
            for index in 0..<6 {
                let answer = try await self.paperForm(
                    client, clerk, number: "A-\(index)", phone: "+7916123456\(index)",
                    more: #","isAnotherPerson":true"#)
                #expect(answer.status == 201, "\(answer.text)")
            }
        }
        world.clock.advance(by: .seconds(21 * 86_400))
        try await world.openConnections()
        let confirm = world.parts.members.confirmForms
        let total = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<4 { group.addTask { try await confirm() } }
            return try await group.reduce(0, +)
        }
        #expect(total == 6)
        #expect(try await Set(world.heard(MemberJoined.self).map(\.member)).count == 6)
    }

    @Test func `a code to the phone confirms a paper form before its time`() async throws {
        let world = try AuthWorld()
        try await world.subscribe("tests.events", to: MemberJoined.name)
        let clerk = try await world.staffToken([.storeClerk])
        try await world.client { client in
            let form = try await self.paperForm(client, clerk).read(FormSeen.self)
            let challenge = try await client.challenge(Self.phone)
            #expect(try await client.logIn(challenge, world.code(of: challenge)).status == 201)
            #expect(try await world.heard(MemberJoined.self).map(\.member) == [form.member])
        }
        world.clock.advance(by: .seconds(30 * 86_400))
        #expect(try await world.parts.members.confirmForms() == 0)
        #expect(try await world.heard(MemberJoined.self).count == 1)
    }

    @Test func `duplicates of phone, person and form are refused, unless the clerk has looked`() async throws {
        let world = try AuthWorld()
        let clerk = try await world.staffToken([.storeClerk])
        try await world.client { client in
            #expect(try await self.paperForm(client, clerk).status == 201)
            let person = try await self.paperForm(client, clerk, number: "A-2", phone: "+79161234560")
            #expect(person.status == 409 && person.problem == "possible-duplicate")
            let looked = #","isAnotherPerson":true"#
            let phone = try await self.paperForm(client, clerk, number: "A-2", more: looked)
            #expect(phone.status == 409 && phone.problem == "already-member")
            let form = try await self.paperForm(client, clerk, phone: "+79161234560", more: looked)
            #expect(form.status == 409 && form.problem == "form-number-used")
            #expect(try await world.count("auth.member") == 1)
            let twin = try await self.paperForm(client, clerk, number: "A-2", phone: "+79161234560", more: looked)
            #expect(twin.status == 201)
        }
    }

    @Test func `a printed card is activated by its number, personal data and SMS, once`() async throws {
        let world = try AuthWorld()
        try await world.subscribe("tests.events", to: MemberJoined.name)
        let admin = try await world.staffToken([.sysadmin])
        let card = CardNumber.make(random: .seeded(5))
        try await world.client { client in
            let batch = #"{"batch":"2026-03-A","cards":["\#(card.digits)"]}"#
            let loaded = try await client.ask(.post, "/v1/staff/card-batches", batch, token: admin)
            #expect(loaded.status == 201 && loaded.text == #"{"loaded":1}"#)
            let again = try await client.ask(.post, "/v1/staff/card-batches", batch, token: admin)
            #expect(again.text == #"{"loaded":0}"#)
            let ticket = try await self.offer(world, client).registration
            let answer = try await self.register(client, ticket, #""card":"\#(card.digits)","#)
            #expect(try answer.read(RegistrationSeen.self).card == card)
            #expect(try await world.heard(MemberJoined.self).map(\.way) == ["card"])

            let other = try await client.challenge("+79161234568")
            let second = try await client.logIn(other, world.code(of: other)).read(OfferSeen.self).registration
            let taken = try await self.register(client, second, #""card":"\#(card.digits)","#)
            #expect(taken.status == 422 && taken.problem == "card-refused")
            #expect(try await self.register(client, second).status == 201, "the ticket stays good for a virtual card")
        }
    }

    @Test func `nobody guesses printed cards: a proved phone names five`() async throws {
        let world = try AuthWorld()
        let card = CardNumber.make(random: .seeded(5))
        try await world.database.transaction { transaction in
            _ = try await CardStockStore().load([card], batch: "A", at: world.clock.now, in: transaction)
        }
        try await world.client { client in
            let ticket = try await self.offer(world, client).registration
            for seed in 0..<5 {
                let guess = CardNumber.make(random: .seeded(UInt64(100 + seed)))
                #expect(try await self.register(client, ticket, #""card":"\#(guess.digits)","#).status == 422)
            }
            let late = try await self.register(client, ticket, #""card":"\#(card.digits)","#)
            #expect(late.status == 422 && late.problem == "card-refused")
        }
    }

    @Test(arguments: [
        ("/v1/staff/registration-drafts", StaffRole.storeClerk), ("/v1/staff/paper-forms", .support),
        ("/v1/staff/card-batches", .supervisor),
    ])
    func `colleagues without the role, and members, get nowhere`(path: String, role: StaffRole) async throws {
        let world = try AuthWorld()
        let member = try await world.register().tokens.accessToken
        let colleague = try await world.staffToken([role])
        try await world.client { client in
            var problems: [String?] = []
            for token in [colleague, member, nil] {
                problems.append(try await client.ask(.post, path, "{}", token: token).problem)
            }
            #expect(problems == ["role-missing", "token-invalid", "token-missing"])
        }
    }
}

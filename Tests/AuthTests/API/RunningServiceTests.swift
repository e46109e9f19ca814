import Contracts
import FoundationEssentials
import JobQueue
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Auth

/// auth as a process runs it: sockets, workers, the bus.
@Suite(.authDatabase, .capturedLogs) struct RunningServiceTests {
    private static let settings = [
        "CLUB_AUTH_MASTER_KEY": String(repeating: "m", count: 32),
        "CLUB_AUTH_LOOKUP_KEY": String(repeating: "l", count: 32),
        "CLUB_QUEUE_KEYS": Self.queueKeys,
    ]
    private static let queueKeys = "1:a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="

    private func message(to phone: String, after count: Int) async throws -> String {
        let read = ReadOutbox(database: try TestDatabase.current.owner)
        return try await eventually("the message with the code") {
            let messages = try await read(to: PhoneNumber(parsing: phone), limit: 10)
            return messages.count > count ? messages.first?.text : nil
        }
    }

    @Test func `the code comes by message and opens the door`() async throws {
        try await ServiceWorld.run([AuthModule.self], settings: Self.settings) { world in
            let client = try world.client(for: "auth")
            let asked = try await client.post("/v1/challenges", ["phone": "+79161234567"])
            #expect(asked.status == 202)
            let challenge = try asked.json(ChallengeSeen.self).challenge
            let text = try await self.message(to: "+79161234567", after: 0)
            let code = String(text.prefix(4))
            let offer = try await client.post("/v1/sessions", ["challenge": "\(challenge)", "code": code])
            let ticket = try offer.json(TicketSeen.self).registration
            let registered = try await client.post(
                "/v1/registrations",
                text: """
                    {"registration": "\(ticket)", "fullName": {"last": "Иванова", "first": "Анна"},
                     "consents": {"terms": true, "personalData": true, "marketing": false}}
                    """)
            #expect(registered.status == 201)
            let tokens = try registered.json(RegistrationSeen.self).tokens
            #expect(try await client.authorized(tokens.accessToken).get("/v1/me").status == 200)
            #expect(try await client.get("/.well-known/jwks.json").text.contains("Ed25519"))
            let description = try await client.get("/openapi.yaml")
            #expect(description.status == 200 && description.text.hasPrefix("openapi: 3.1.0"))
        }
    }

    @Test func `other services get their answers over the bus`() async throws {
        try await ServiceWorld.run([AuthModule.self], settings: Self.settings) { world in
            let test = world.database
            let bus = Bus(
                service: "club", database: test.owner,
                listener: Listener(test.configuration(), reactor: test.reactor, logger: CapturedLogs.logger),
                keyring: try Keyring(Secret(Self.queueKeys)), logger: CapturedLogs.logger)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await Worker(bus: bus).run() }
                try await self.ask(bus)
                group.cancelAll()
            }
        }
    }

    @Test func `whoever sends Notify has somebody told, and its job is ciphertext`() async throws {
        try await ServiceWorld.run([AuthModule.self], settings: Self.settings) { world in
            let test = world.database
            let bus = Bus(
                service: "club", database: test.owner,
                listener: Listener(test.configuration(), reactor: test.reactor, logger: CapturedLogs.logger),
                keyring: try Keyring(Secret(Self.queueKeys)), logger: CapturedLogs.logger)
            let text = Notify.Text(subject: "Подарок", body: "Вам подарили 1500 рублей")
            let notice = Notify(
                id: Notice.ID(UUID()), recipient: .phone(try PhoneNumber(parsing: "+79161234569")), purpose: .security,
                channels: [.sms], russian: text, english: text)
            _ = try await bus.send(notice)
            #expect(try await self.message(to: "+79161234569", after: 0) == text.body)
            let dump = try await test.owner.query("select t::text from queue.job t").map { try $0.decode(String.self) }
            #expect(dump.contains { $0.contains("auth.notify") })
            #expect(!dump.contains { $0.contains("9161234569") || $0.contains("1500") })
        }
    }

    private func ask(_ bus: Bus) async throws {
        let person = EnrolMembers.Person(
            reference: "grocery/1", fullName: try #require(FullName(last: "Петров", first: "Пётр")),
            phone: try PhoneNumber(parsing: "+79001000001"))
        let enrolled = try await bus.call(EnrolMembers(members: [person]), deadline: .seconds(30)).members
        #expect(try await bus.call(EnrolMembers(members: [person]), deadline: .seconds(30)).members == enrolled)
        let dump = try await TestDatabase.current.owner.query("select t::text from queue.job t").map {
            try $0.decode(String.self)
        }
        #expect(dump.contains { $0.contains("auth.enrol-members") })
        #expect(!dump.contains { $0.contains("9001000001") || $0.contains("Петров") })
        let member = try #require(enrolled.first)
        try await self.stepUp(bus, member.member)
        #expect(try await bus.call(ResolveCard(card: member.card), deadline: .seconds(30)).member == member.member)
        let listed = try await bus.call(
            ListReferences(prefix: "grocery/", after: nil, limit: 10), deadline: .seconds(30))
        #expect(listed.members == enrolled)
        #expect(try await bus.call(ResolveTillKey(id: "nobody"), deadline: .seconds(30)).key == nil)
        let issue = IssueTillKey(
            database: try TestDatabase.current.owner, bus: bus, clock: SystemClock(), random: .system)
        let issued = try await issue(store: nil, scopes: ["receipts"], label: "Касса")
        let key = try #require(try await bus.call(ResolveTillKey(id: issued.id), deadline: .seconds(30)).key)
        #expect(key.scopes == ["receipts"] && !key.revoked)
        #expect(try await bus.call(FetchSigningKeys(), deadline: .seconds(30)).jwks.contains("Ed25519"))
    }

    @Test func `paper forms are confirmed by a job that auth sends to itself`() async throws {
        // Entered in March by the clock of this world; the service that runs later has the clock of the system.
        let world = try AuthWorld()
        let form = EnterPaperForm.Form(
            number: "A-1", store: try #require(StoreID("1204")),
            fullName: try #require(FullName(last: "Иванова", first: "Анна")),
            phone: try PhoneNumber(parsing: "+79161234567"), birthday: try #require(Birthday("1984-02-29")),
            marketing: false, card: nil, isAnotherPerson: false)
        let entered = try await world.parts.members.registrations.enterForm(form, by: Staff.ID(UUID()))
        try await ServiceWorld.run([AuthModule.self], settings: Self.settings) { _ in
            try await world.bus.send(ConfirmDueForms())
            try await eventually("the form is confirmed") {
                try await StandingStore().find(entered.member, on: world.database)?.isActive == true
            }
        }
        #expect(try MemberParts.periodic.map(\.name.description) == ["auth.confirm-due-forms"])
    }

    /// The way of a redemption: a code is asked for, comes by SMS, and confirms. Nothing of it can be read in the queue.
    private func stepUp(_ bus: Bus, _ member: Member.ID) async throws {
        let (id, target) = (StepUp.ID(UUID()), "Линия жизни")
        let subject = StepUpSubject(action: .donation, amount: 5000, unit: .points, target: target)
        let asked = try await bus.call(
            RequestStepUp(id: id, member: member, subject: subject), deadline: .seconds(30))
        #expect(asked.refusal == nil && asked.expiresAt != nil)
        let text = try await self.message(to: "+79001000001", after: 0)
        #expect(text.contains("5000") && text.contains(target))
        let code = String(text.prefix(6))
        func confirm(_ code: String) async throws -> StepUpRefusal? {
            try await bus.call(
                ConfirmStepUp(id: id, member: member, subject: subject, code: code), deadline: .seconds(30)
            ).refusal
        }
        #expect(try await confirm(code == "000000" ? "000001" : "000000") == .codeRefused)
        #expect(try await confirm(code) == nil)
        let standing = try await bus.call(FetchStanding(member: member), deadline: .seconds(30)).standing
        #expect(standing?.isActive == true && standing?.isSpendingLocked == false)
        #expect(try await bus.call(FetchStanding(member: Member.ID(UUID())), deadline: .seconds(30)).standing == nil)
        let dump = try await TestDatabase.current.owner.query("select t::text from queue.job t").map {
            try $0.decode(String.self)
        }
        #expect(dump.contains { $0.contains(ConfirmStepUp.name) })
        #expect(!dump.contains { $0.contains(target) || $0.contains(code) })
    }

    @Test(arguments: [
        ["CLUB_AUTH_MASTER_KEY": "short"], ["CLUB_AUTH_TRUSTED_PROXIES": "not an address"],
        ["CLUB_AUTH_PHONE_HOUR": "0"], ["CLUB_AUTH_PHONES_HOUR": "5"], ["CLUB_QUEUE_KEYS": "1:short"],
        ["CLUB_QUEUE_LISTEN": "sometimes"],
    ])
    func `a setting that makes no sense stops the start and is named`(broken: [String: String]) async throws {
        let error = await #expect(throws: (any Error).self) {
            try await ServiceWorld.run([AuthModule.self], settings: Self.settings.merging(broken) { $1 }) { _ in }
        }
        let sentence = "\(try #require(error))"
        #expect(try sentence.contains(#require(broken.keys.first)))
        #expect(!sentence.contains("short"))
    }
}

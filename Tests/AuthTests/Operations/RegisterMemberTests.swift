import FoundationEssentials
import Kernel
import Postgres
import TestSupport
import Testing
import Web

@testable import Auth

@Suite(.authDatabase, .capturedLogs) struct RegisterMemberTests {
    private static let consents = ConsentChoices(terms: true, personalData: true, marketing: true)
    private static let device = DeviceName(userAgent: "Mozilla/5.0")

    private func ticket(_ world: AuthWorld, _ phone: String = "+79161234567") async throws -> OpaqueToken {
        guard case .registration(let ticket, _, _) = try await world.logIn(phone) else {
            throw UnexpectedOutcome()
        }
        return ticket
    }

    private func register(
        _ world: AuthWorld, _ ticket: OpaqueToken, _ consents: ConsentChoices = consents
    ) async throws -> RegisterMember.Registered {
        try await world.parts.routes.register(
            ticket: ticket,
            RegisterMember.Application(
                fullName: try #require(FullName(last: "Иванова", first: "Анна")), consents: consents),
            device: Self.device)
    }

    @Test func `a ticket registers once`() async throws {
        let world = try AuthWorld()
        let ticket = try await self.ticket(world)
        _ = try await self.register(world, ticket)
        await #expect(throws: RegisterMember.Refusal.ticket) { try await self.register(world, ticket) }
        #expect(try await world.count("auth.member") == 1)
    }

    @Test func `a ticket is good for half an hour`() async throws {
        let world = try AuthWorld()
        let ticket = try await self.ticket(world)
        world.clock.advance(by: .seconds(1800))
        await #expect(throws: RegisterMember.Refusal.ticket) { try await self.register(world, ticket) }
    }

    @Test func `without the required consents nobody registers and the ticket stays good`() async throws {
        let world = try AuthWorld()
        let ticket = try await self.ticket(world)
        let refused = ConsentChoices(terms: false, personalData: false, marketing: true)
        await #expect(throws: RegisterMember.Refusal.consentMissing([.terms, .personalData])) {
            try await self.register(world, ticket, refused)
        }
        #expect(try await world.count("auth.consent") == 0)
        _ = try await self.register(world, ticket)
    }

    @Test func `of two tickets for one phone one registers, also at once`() async throws {
        let world = try AuthWorld()
        let tickets = [try await self.ticket(world), try await self.ticket(world)]
        try await world.openConnections()
        let outcomes = try await withThrowingTaskGroup(of: RegisterMember.Refusal?.self) { group in
            for ticket in tickets {
                group.addTask {
                    do {
                        _ = try await self.register(world, ticket)
                        return nil
                    } catch let refusal as RegisterMember.Refusal {
                        return refusal
                    }
                }
            }
            return try await group.reduce(into: [RegisterMember.Refusal?]()) { $0.append($1) }
        }
        #expect(Set(outcomes) == [nil, .alreadyMember])
        for table in ["member", "personal_data", "card", "session"] {
            #expect(try await world.count("auth.\(table)") == 1)
        }
    }

    @Test func `a card has a check digit and the news of it is sent in the same transaction`() async throws {
        let world = try AuthWorld()
        try await world.subscribe("promotions.events", to: "auth.card-issued")
        let registered = try await self.register(world, self.ticket(world))
        #expect(CardNumber(registered.card.digits) == registered.card)
        #expect(try await world.dump().contains("auth.card-issued"))
    }

    @Test func `a card number that is taken is not given twice`() async throws {
        // The generator repeats itself: the second member's first card number is the first one's.
        let world = try AuthWorld()
        let first = try await self.register(world, self.ticket(world))
        try await world.owner.execute(
            """
            update auth.card
            set card = \(CardNumber.make(random: .seeded(5)))
            where card = \(first.card)
            """)
        let taken = CardNumber.make(random: .seeded(5))
        let isFree = try await world.database.transaction { transaction in
            try await MemberStore().insert(taken, of: first.member, at: world.clock.now, in: transaction)
        }
        #expect(!isFree)
    }

    @Test func `name and phone are nowhere readable, and the member's key opens them`() async throws {
        let world = try AuthWorld()
        let registered = try await world.register("+79161234567")
        let dump = try await world.dump()
        for secret in ["Иванова", "Анна", "Петровна", "9161234567", "79161234567"] {
            #expect(!dump.contains(secret), "found in clear")
            #expect(!dump.contains(Array(secret.utf8).hex), "found as bytes")
        }
        #expect(!CapturedLogs.text.contains("9161234567"))
        #expect(!CapturedLogs.text.contains("Иванова"))
        let wrapped = try await world.owner.one("select wrapped_key, full_name from auth.personal_data")
        let (key, name) = try wrapped.decode([UInt8].self, [UInt8].self)
        #expect(try world.vault.unwrap(key, of: registered.member).openName(name).last == "Иванова")
    }

    @Test func `a member whose key was destroyed is seen by nobody`() async throws {
        let world = try AuthWorld()
        let registered = try await world.register()
        try await world.owner.execute("update auth.personal_data set wrapped_key = null, phone_index = null")
        let token = try await world.parts.routes.verifier.verify(registered.tokens.accessToken)
        #expect(try await world.parts.routes.show(token.member, session: token.session) == nil)
    }

    @Test func `a session carries the device's name`() async throws {
        let world = try AuthWorld()
        _ = try await self.register(world, self.ticket(world))
        #expect(try await world.owner.one("select device from auth.session").decode(String.self) == "Mozilla/5.0")
    }

    @Test(arguments: ["auth", nil] as [ServiceName?])
    func `the consent ledger only grows, for the service and for the owner`(role: ServiceName?) async throws {
        let world = try AuthWorld()
        _ = try await self.register(world, self.ticket(world))
        let test = try TestDatabase.current
        let database = role.map { test.database(for: $0) } ?? test.owner
        let changes: [SQL] = [
            "update auth.consent set granted = false", "delete from auth.consent", "truncate auth.consent",
        ]
        for change in changes {
            await #expect(throws: DatabaseError.self) { try await database.execute(change) }
        }
        #expect(try await world.count("auth.consent") == 5)
    }
}

extension AuthWorld {
    /// The rows of a table of auth.
    func count(_ table: String) async throws -> Int {
        let parts = table.split(separator: ".").map(String.init)
        return try await self.owner.one("select count(*) from \(identifier: parts[0], parts[1])").decode(Int.self)
    }
}

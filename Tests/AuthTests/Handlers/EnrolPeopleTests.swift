import Contracts
import Kernel
import Postgres
import TestSupport
import Testing
import Web

@testable import Auth

@Suite(.authDatabase, .capturedLogs) struct EnrolPeopleTests {
    private func people(_ numbers: ClosedRange<Int>) throws -> [EnrolMembers.Person] {
        try numbers.map { number in
            EnrolMembers.Person(
                reference: "grocery/\(1000 + number)", fullName: try #require(FullName(last: "Петров", first: "Пётр")),
                phone: try PhoneNumber(parsing: "+7900\(1_000_000 + number)"))
        }
    }

    private func enrol(_ world: AuthWorld, _ people: [EnrolMembers.Person]) async throws -> [EnrolledMember] {
        let enrol = EnrolPeople(
            bus: world.bus, clock: world.clock, ids: .uuidV7(clock: world.clock, random: world.random),
            random: world.random, vault: world.vault, metrics: AuthMetrics())
        return try await world.database.transaction { try await enrol(people, in: $0) }
    }

    @Test func `everybody gets a member and a card, in the order of asking`() async throws {
        let world = try AuthWorld()
        let people = try self.people(1...300).reversed()
        let enrolled = try await self.enrol(world, Array(people))
        #expect(enrolled.map(\.reference) == people.map(\.reference))
        #expect(Set(enrolled.map(\.card)).count == 300)
        #expect(enrolled.allSatisfy { CardNumber($0.card.digits) != nil })
        #expect(try await world.count("auth.member") == 300)
    }

    @Test func `enrolling twice changes nothing`() async throws {
        let world = try AuthWorld()
        let first = try await self.enrol(world, self.people(1...50))
        let before = try await world.dump()
        #expect(try await self.enrol(world, self.people(1...50)) == first)
        #expect(try await world.dump() == before)
        let more = try await self.enrol(world, self.people(41...60))
        #expect(Array(more.prefix(10)) == Array(first.suffix(10)))
        #expect(try await world.count("auth.member") == 60)
    }

    @Test func `two imports of the same people at once make nobody twice`() async throws {
        let world = try AuthWorld()
        let people = try self.people(1...100)
        let answers = try await withThrowingTaskGroup(of: [EnrolledMember].self) { group in
            for _ in 0..<3 { group.addTask { try await self.enrol(world, people) } }
            return try await group.reduce(into: [[EnrolledMember]]()) { $0.append($1) }
        }
        #expect(Set(answers).count == 1)
        #expect(try await world.count("auth.card") == 100)
    }

    @Test func `an enrolled member logs in by phone`() async throws {
        let world = try AuthWorld()
        _ = try await self.enrol(world, self.people(1...1))
        guard case .member = try await world.logIn("+79001000001") else {
            Issue.record("the phone was not found")
            return
        }
    }

    @Test func `a phone stays with the member who has it`() async throws {
        let world = try AuthWorld()
        let registered = try await world.register("+79001000001")
        let enrolled = try await self.enrol(world, self.people(1...2))
        #expect(enrolled[0].member != registered.member)
        guard case .member(let tokens) = try await world.logIn("+79001000001") else {
            Issue.record("the phone was lost")
            return
        }
        #expect(try await world.parts.routes.verifier.verify(tokens.accessToken).member == registered.member)
    }

    @Test func `references are listed in pages, by prefix and in order`() async throws {
        let world = try AuthWorld()
        let enrolled = try await self.enrol(world, self.people(1...25))
        let (first, second, none) = try await world.database.transaction { transaction in
            let store = EnrolmentStore()
            let first = try await store.list(prefix: "grocery/", after: nil, limit: 20, in: transaction)
            let second = try await store.list(
                prefix: "grocery/", after: first.last?.reference, limit: 20, in: transaction)
            return (first, second, try await store.list(prefix: "other/", after: nil, limit: 20, in: transaction))
        }
        #expect(first + second == enrolled)
        #expect(none.isEmpty)
    }
}

@Suite(.authDatabase, .capturedLogs) struct ResolveCardTests {
    @Test func `a card is somebody's while it is in use`() async throws {
        let world = try AuthWorld()
        let registered = try await world.register()
        func holder(_ card: CardNumber) async throws -> Member.ID? {
            try await world.database.transaction { try await MemberStore().find(card: card, in: $0) }
        }
        #expect(try await holder(registered.card) == registered.member)
        #expect(try await holder(CardNumber.make(random: .seeded(123))) == nil)
        try await world.owner.execute("update auth.card set state = 'blocked'")
        #expect(try await holder(registered.card) == nil)
    }
}

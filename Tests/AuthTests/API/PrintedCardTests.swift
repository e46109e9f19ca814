import Contracts
import HTTPTypes
import HummingbirdTesting
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Auth

/// Members who have a card add a printed one.
@Suite(.authDatabase, .capturedLogs) struct PrintedCardTests {
    private func load(_ cards: [CardNumber], into world: AuthWorld) async throws {
        try await world.database.transaction { transaction in
            _ = try await CardStockStore().load(cards, batch: "A", at: world.clock.now, in: transaction)
        }
    }

    private func add(_ card: CardNumber, _ client: any TestClientProtocol, _ token: String) async throws -> Answered {
        try await client.ask(.post, "/v1/me/printed-cards", #"{"card":"\#(card.digits)"}"#, token: token)
    }

    private static func card(_ seed: UInt64) -> CardNumber { CardNumber.make(random: .seeded(seed)) }

    @Test func `a printed card is added beside the one that is there, and is nobody else's then`() async throws {
        let world = try AuthWorld()
        try await world.subscribe("tests.events", to: CardIssued.name)
        let registered = try await world.register()
        let stranger = try await world.register("+79161234568").tokens.accessToken
        let card = Self.card(5)
        try await self.load([card], into: world)
        let token = registered.tokens.accessToken
        try await world.client { client in
            world.clock.advance(by: .seconds(1))
            let added = try await self.add(card, client, token)
            #expect(added.status == 201 && added.text.contains(card.digits))
            #expect(try await self.add(card, client, stranger).problem == "card-refused")
            #expect(try await client.ask(.get, "/v1/me", token: token).read(WholeProfileSeen.self).card == card)
        }
        for good in [card, registered.card] {
            let holder = try await world.database.transaction { transaction in
                try await MemberStore().find(card: good, in: transaction)
            }
            #expect(holder == registered.member, "both earn")
        }
        #expect(
            try await world.heard(CardIssued.self).last
                == CardIssued(
                    member: registered.member, card: card, issuedAt: world.clock.now))
    }

    @Test func `nobody guesses printed cards: a member names five a day`() async throws {
        let world = try AuthWorld()
        let token = try await world.register().tokens.accessToken
        let card = Self.card(5)
        try await self.load([card], into: world)
        try await world.client { client in
            let answers = try await withThrowingTaskGroup(of: String?.self) { group in
                for seed in UInt64(100)..<108 {
                    group.addTask { try await self.add(Self.card(seed), client, token).problem }
                }
                return try await group.reduce(into: [String?]()) { $0.append($1) }
            }
            #expect(answers.count { $0 == "card-refused" } == 5)
            #expect(answers.count { $0 == "too-many-card-attempts" } == 3)
            let right = try await self.add(card, client, token)
            #expect(right.status == 429 && right.problem == "too-many-card-attempts")
        }
        world.clock.advance(by: .seconds(86_400))
        let refreshed = try await world.logInAgain().accessToken
        let next = try await world.client { try await self.add(card, $0, refreshed) }
        #expect(next.status == 201)
    }

    @Test func `a member has five cards at most`() async throws {
        let world = try AuthWorld()
        let token = try await world.register().tokens.accessToken
        let cards = (0..<5).map { Self.card(200 + UInt64($0)) }
        try await self.load(cards, into: world)
        try await world.client { client in
            for card in cards.prefix(4) {
                let added = try await self.add(card, client, token)
                #expect(added.status == 201)
            }
            let fifth = try await self.add(cards[4], client, token)
            #expect(fifth.problem == "too-many-cards")
        }
    }
}

import Contracts
import HTTPTypes
import HummingbirdTesting
import JobQueue
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Promotions

/// Cards that end, members who are gone, and members who do not want to be looked at.
@Suite(.promotionsDatabase, .capturedLogs) struct CardEndTests {
    private let neighbours = Neighbours()

    private func tell(_ event: some Event, in world: TillWorld) async throws {
        try await eventually("promotions hears \(type(of: event).name)") {
            try await world.count("select count(*) from queue.subscription where event = \(type(of: event).name)") > 0
        }
        let auth = TillWorld.bus("auth", world.owner)
        try await world.owner.transaction { try await auth.publish(event, in: $0) }
    }

    private static func receipt(_ document: Int64, at: String = "2026-11-23T12:00:00+03:00") -> String {
        ReceiptJSON(fiscalDocument: document, at: at).text
    }

    @Test func `a replaced card earns what was bought before, however late that comes, and nothing after`()
        async throws
    {
        let world = try await TillWorld()
        let blocked = CardBlocked(
            member: world.member, card: TillWorld.card, blockedAt: Make.noon + .seconds(3600))
        try await self.neighbours.run(around: world) {
            try await self.tell(blocked, in: world)
            try await eventually("the card is blocked") {
                try await world.count("select count(*) from promotions.member_card where blocked_at is not null") == 1
            }
            try await world.client { client in
                let before = try await client.deliver(Self.receipt(1, at: "2026-11-23T12:59:59+03:00"))
                #expect(before.status == 201)
                let after = try await client.deliver(Self.receipt(2, at: "2026-11-23T13:00:00+03:00"))
                #expect(after.problem?.code == "unknown-card")
            }
            // News of its issue that is late does not bring it back.
            try await self.tell(
                CardIssued(member: world.member, card: TillWorld.card, issuedAt: Make.noon + .seconds(7200)), in: world)
            try await eventually("the news is heard") {
                try await world.count(
                    "select count(*) from promotions.member_card where issued_at > \(Make.noon)") == 1
            }
            let still = try await world.client {
                try await $0.deliver(Self.receipt(3, at: "2026-11-23T14:30:00+03:00"))
            }
            #expect(still.problem?.code == "unknown-card")
        }
        #expect(self.neighbours.questions.isEmpty, "what is known to be blocked is not asked for")
    }

    @Test func `a card that was blocked before anything was heard of it earns nothing either`() async throws {
        let world = try await TillWorld()
        let card = Make.card(9)
        try await world.database.transaction { transaction in
            try await CardStore().block([(card, world.member, Make.noon)], in: transaction)
        }
        try await CardStore().upsert(
            [.init(number: card, member: world.member, issuedAt: Make.noon - .seconds(60))], in: world.database)
        let answer = try await world.client { try await $0.deliver(ReceiptJSON(card: card.digits).text) }
        #expect(answer.problem?.code == "unknown-card")
    }

    @Test func `the card of who is erased earns nothing, whatever is heard of it afterwards`() async throws {
        let world = try await TillWorld()
        try await self.neighbours.run(around: world) {
            try await world.client { client in
                #expect(try await client.deliver(Self.receipt(1)).status == 201)
                try await self.tell(MemberErased(member: world.member, erasedAt: Make.noon), in: world)
                try await eventually("the card is forgotten") {
                    try await world.count("select count(*) from promotions.member_card") == 0
                }
                // The issue of a card and the end of one, told late, and a call that was answered just before.
                try await CardStore().upsert(
                    [.init(number: TillWorld.card, member: world.member, issuedAt: Make.noon + .seconds(9))],
                    in: world.database)
                try await world.database.transaction { transaction in
                    try await CardStore().block([(TillWorld.card, world.member, Make.noon)], in: transaction)
                }
                #expect(try await client.deliver(Self.receipt(2)).problem?.code == "unknown-card")
            }
        }
        #expect(try await world.count("select count(*) from promotions.member_card") == 0)
        #expect(try await world.count("select count(*) from promotions.receipt") == 1)
    }

    @Test func `who tells auth not to be looked at has no habits here, and the later word counts`() async throws {
        let world = try await TillWorld()
        struct Popular: Decodable { let isProfiled: Bool }
        try await self.neighbours.run(around: world) {
            try await world.client { client in
                _ = try await client.deliver(Self.receipt(1))
                let member = try await world.member(nil, client)
                #expect(try await member.ask(.get, "/v1/purchases/popular").read(Popular.self).isProfiled)
                try await self.tell(
                    ProfilingChanged(member: world.member, isAllowed: false, changedAt: Make.noon + .seconds(5)),
                    in: world)
                try await eventually("promotions looks away") {
                    try await !member.ask(.get, "/v1/purchases/popular").read(Popular.self).isProfiled
                }
                #expect(try await !member.ask(.get, "/v1/home").read(Popular.self).isProfiled)
                // Said here before that, and heard by nobody until now.
                try await ProfileStore().upsert(
                    [.init(member: world.member, isAllowed: true, since: Make.noon + .seconds(4))], in: world.database)
                #expect(try await !member.ask(.get, "/v1/purchases/popular").read(Popular.self).isProfiled)
                world.clock.advance(by: .seconds(6))
                _ = try await member.ask(.put, "/v1/settings/profiling", #"{"isAllowed": true}"#)
                #expect(try await member.ask(.get, "/v1/purchases/popular").read(Popular.self).isProfiled)
            }
        }
    }
}

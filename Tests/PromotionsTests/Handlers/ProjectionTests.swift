import Contracts
import Crypto
import FoundationEssentials
import HummingbirdTesting
import JobQueue
import Kernel
import Postgres
import TestSupport
import Testing
import Web

@testable import Promotions

@Suite(.promotionsDatabase, .capturedLogs) struct ProjectionTests {
    private func record(_ id: String, isRevoked: Bool = false, changedAt: Timestamp = Make.noon) -> TillKeyRecord {
        TillKeyRecord(
            id: id, hash: Data(SHA256.hash(data: Data("secret".utf8))), store: TillWorld.store("1"),
            scopes: ["receipts"], revoked: isRevoked, changedAt: changedAt)
    }

    @Test func `a card and a key are known when their events have arrived`() async throws {
        let world = try await TillWorld()
        let neighbours = Neighbours()
        let issued = CardIssued(member: world.member, card: Make.card(5), issuedAt: Make.noon)
        let changed = TillKeyChanged(key: self.record("late"))
        try await neighbours.run(around: world) {
            let auth = TillWorld.bus("auth", world.owner)
            try await eventually("promotions hears of cards and keys") {
                try await world.owner.one(
                    """
                    select count(*) = 2
                    from queue.subscription
                    where event in (\(CardIssued.name), \(TillKeyChanged.name))
                    """
                ).decode(Bool.self)
            }
            try await world.owner.transaction { transaction in
                try await auth.publish(issued, in: transaction)
                try await auth.publish(changed, in: transaction)
            }
            try await eventually("the projections know") {
                let keys = try await TillKeyProjection(schema: PromotionsModule.name).find("late", in: world.database)
                let cards = try await world.owner.one(
                    "select count(*) from promotions.member_card where card = \(Make.card(5).digits)"
                ).decode(Int64.self)
                return keys != nil && cards == 1
            }
            let receipt = ReceiptJSON(card: Make.card(5).digits).text
            let answer = try await world.client { try await $0.deliver(receipt, key: "ck_late_secret") }
            #expect(answer.status == 201)
        }
        #expect(neighbours.questions.isEmpty)
    }

    @Test func `a card and a key whose events are late are asked for, once`() async throws {
        let world = try await TillWorld()
        let neighbours = Neighbours()
        neighbours.knows(Make.card(6), of: world.member)
        neighbours.knows(self.record("new"))
        try await neighbours.run(around: world) {
            try await world.client { client in
                for document in Int64(1)...3 {
                    let receipt = ReceiptJSON(fiscalDocument: document, card: Make.card(6).digits).text
                    let answer = try await client.deliver(receipt, key: "ck_new_secret")
                    #expect(answer.status == 201)
                }
            }
        }
        #expect(neighbours.questions == ["key new", "card"])
    }

    @Test func `a card that auth cannot be asked about is undecided, not unknown`() async throws {
        let world = try await TillWorld()
        let answer = try await world.client { try await $0.deliver(ReceiptJSON(card: Make.card(7).digits).text) }
        #expect(answer.status == 503)
        #expect(answer.problem?.code == "undecided")
        #expect(try await world.footprint().prefix(3) == [0, 0, 0])
    }

    @Test func `a key that nobody has is asked for once in a while`() async throws {
        let world = try await TillWorld()
        let neighbours = Neighbours()
        try await neighbours.run(around: world) {
            try await world.client { client in
                for _ in 0..<3 {
                    let answer = try await client.deliver(ReceiptJSON.text, key: "ck_nobody_secret")
                    #expect(answer.status == 401)
                }
                world.clock.advance(by: .seconds(4))
                let later = try await client.deliver(ReceiptJSON.text, key: "ck_nobody_secret")
                #expect(later.status == 401)
            }
        }
        #expect(neighbours.questions == ["key nobody", "key nobody"])
    }

    @Test func `a revoked key stops working within seconds and does not come back by an old event`() async throws {
        let world = try await TillWorld()
        let keys = TillKeyProjection(schema: PromotionsModule.name)
        try await world.client { client in
            #expect(try await client.deliver(ReceiptJSON.text).status == 201)
            let revoked = self.record("till1", isRevoked: true, changedAt: Make.noon + .seconds(2))
            try await keys.upsert([.init(revoked)], in: world.database)
            let earlier = self.record("till1", changedAt: Make.noon + .seconds(1))
            try await keys.upsert([.init(earlier)], in: world.database)
            world.clock.advance(by: .seconds(4))
            #expect(try await client.deliver(ReceiptJSON.text).status == 401)
        }
    }

    @Test func `a card belongs to whom it was issued last, in whatever order that is heard`() async throws {
        let world = try await TillWorld()
        let other = Member.ID(UUID())
        let card = Make.card(8)
        let cards = CardStore()
        try await cards.upsert(
            [
                .init(number: card, member: other, issuedAt: Make.noon + .seconds(1)),
                .init(number: card, member: world.member, issuedAt: Make.noon),
            ], in: world.database)
        try await cards.upsert([.init(number: card, member: world.member, issuedAt: Make.noon)], in: world.database)
        let presented = try await cards.present([Make.sale(card: card)], in: world.database)
        #expect(presented.map(\.member) == [other])
    }

    @Test func `what the ledger has posted is noted on the receipts, once`() async throws {
        let world = try await TillWorld()
        let neighbours = Neighbours()
        let receipt = try await world.client { try await $0.deliver(ReceiptJSON.text) }.read(ReceiptAnswer.self).receipt
        let sold = try #require(Timestamp("2026-11-23T09:00:00Z"))
        let earned = PointsEarned(
            transaction: LedgerTransaction.ID(UUID()), receipt: receipt, member: world.member,
            points: try #require(Points(22)), effectiveAt: sold, recordedAt: Make.noon + .seconds(1))
        let stranger = PointsEarned(
            transaction: LedgerTransaction.ID(UUID()), receipt: Receipt.ID(UUID()), member: world.member,
            points: .zero, effectiveAt: sold, recordedAt: Make.noon)
        try await neighbours.run(around: world) {
            let ledger = TillWorld.bus("ledger", world.owner)
            try await eventually("promotions hears of points") {
                try await world.owner.first(
                    "select from queue.subscription where event = \(PointsEarned.name)") != nil
            }
            try await world.owner.transaction { try await ledger.publish(contentsOf: [stranger, earned], in: $0) }
            let posted = try await eventually("the receipt is posted") { () async throws -> Timestamp? in
                try await world.owner.one("select posted_at from promotions.receipt").decode(Timestamp?.self)
            }
            #expect(posted == Make.noon + .seconds(1))
        }
    }
}

import FoundationEssentials
import Kernel
import Postgres
import TestSupport
import Testing
import Web

@testable import PartnersExchange

/// Offers and addresses as colleagues manage them: with four eyes, and a record of everything.
@Suite(.exchangeDatabase) struct OfferRoutesTests {
    private static let maker = Staff.ID(UUID())
    private static let checker = Staff.ID(UUID())

    private struct ChangeSeen: Decodable {
        let change: PartnerChange.ID
        let state: String
        let kind: String
    }

    private struct ChangesSeen: Decodable { let items: [ChangeSeen] }

    private struct OfferSeen: Decodable {
        let offer: String
        let terms: OfferTerms
        let codesLeft: Int64?
    }

    private struct OffersSeen: Decodable { let items: [OfferSeen] }

    private static func new(_ offer: String, partner: String = "s7", _ more: String = "") -> String {
        #"""
        {"offer": "\#(offer)", "partner": "\#(partner)", "title": {"ru": "200 баллов = 90 миль", "en": "200 = 90"},
         "unit": {"ru": "миль", "en": "miles"}, "pointsStep": 200, "unitsStep": 90, "kopecksStep": 2000,
         "pointsMin": 400, "pointsMax": 4000, "validFrom": "2026-01-01T00:00:00Z", "reason": "Акция"\#(more)}
        """#
    }

    private static func ask(
        _ world: ExchangeWorld, _ path: String, _ body: String, by staff: Staff.ID = maker
    ) async throws -> HTTPTestAnswer {
        try await world.staff([.partnerManager], staff).post(
            path, text: body, headers: ["Idempotency-Key": world.ids.uuid().uuidString])
    }

    private static func decide(
        _ asked: HTTPTestAnswer, _ world: ExchangeWorld, _ decision: String = "approved", by staff: Staff.ID = checker
    ) async throws -> HTTPTestAnswer {
        let change = try asked.json(ChangeSeen.self).change
        return try await world.staff([.partnerManager], staff).post(
            "/staff/v1/partner-changes/\(change)/decision", ["decision": decision, "comment": "Согласовано"])
    }

    private static func terms(_ offer: String, _ world: ExchangeWorld) async throws -> OfferTerms? {
        let offers = try await world.staff([.auditor]).get("/staff/v1/partner-offers").json(OffersSeen.self)
        return offers.items.first { $0.offer == offer }?.terms
    }

    @Test func `a new offer is there when another colleague has agreed, and can be exchanged for`() async throws {
        try await ExchangeWorld.run(drives: false) { world in
            let member = try await world.member(1000)
            try await world.link(ExchangeWorld.s7Number, with: "s7", of: member)
            let asked = try await Self.ask(world, "/staff/v1/partner-offers", Self.new("s7-autumn"))
            #expect(asked.status == 201, "\(asked.text)")
            #expect(try await world.quote("s7-autumn", 400, of: member).problem == "unknown-offer")
            #expect(
                try await Self.ask(world, "/staff/v1/partner-offers", Self.new("s7-autumn")).problem == "change-pending"
            )
            #expect(try await Self.decide(asked, world, by: Self.maker).problem == "same-person")
            let agreed = try await Self.decide(asked, world)
            #expect(try agreed.json(ChangeSeen.self).state == "approved")
            #expect(try await world.quote("s7-autumn", 400, of: member).json(ExchangeSeen.self).units == 180)
            #expect(try await Self.decide(asked, world, "rejected").problem == "change-decided")
            #expect(
                try await Self.ask(world, "/staff/v1/partner-offers", Self.new("s7-autumn")).problem == "offer-exists")
        }
    }

    @Test func `rate, limits, stock and budget change by two colleagues, counted from what is left then`() async throws
    {
        try await ExchangeWorld.run(drives: false) { world in
            let path = "/staff/v1/partner-offers/s7-summer/changes"
            let body = #"""
                {"change": {"unitsStep": 900, "pointsMax": 9000, "stock": {"add": 5}, "budget": {"set": 100000}},
                 "reason": "Продлеваем"}
                """#
            let asked = try await Self.ask(world, path, body)
            #expect(asked.status == 201, "\(asked.text)")
            // Meanwhile somebody takes one.
            try await world.owner.execute(
                "update partners_exchange.offer set stock = stock - 1 where offer = 's7-summer'")
            #expect(try await Self.decide(asked, world).status == 200)
            let terms = try #require(try await Self.terms("s7-summer", world))
            #expect((terms.unitsStep, terms.pointsMax) == (900, 9000))
            #expect((terms.stock, terms.budget) == (10_004, 100_000))

            let rejected = try await Self.ask(world, path, #"{"change": {"kopecksStep": 1}, "reason": "Дешевле"}"#)
            #expect(try await Self.decide(rejected, world, "rejected").json(ChangeSeen.self).state == "rejected")
            #expect(try await Self.terms("s7-summer", world)?.kopecksStep == 10_000)

            // What was possible when it was asked for is not done when it is not any more.
            let less = try await Self.ask(world, path, #"{"change": {"stock": {"add": -10000}}, "reason": "Меньше"}"#)
            try await world.owner.execute("update partners_exchange.offer set stock = 3 where offer = 's7-summer'")
            #expect(try await Self.decide(less, world).problem == "change-stale")
            #expect(try await Self.terms("s7-summer", world)?.stock == 3)
        }
    }

    @Test(arguments: [
        #"{"pointsStep": 0}"#, #"{"pointsMin": 1500}"#, #"{"pointsMax": 500}"#, #"{"validTo": "2020-01-01T00:00:00Z"}"#,
        #"{"title": {"ru": " ", "en": "x"}}"#, #"{"budget": {"add": 1, "set": 1}}"#, #"{"stock": {"set": -1}}"#,
        #"{"unitsStep": 10000000000}"#,
    ])
    func `terms that cannot be are refused`(change: String) async throws {
        try await ExchangeWorld.run(drives: false) { world in
            let asked = try await Self.ask(
                world, "/staff/v1/partner-offers/s7-summer/changes", #"{"change": \#(change), "reason": "Так надо"}"#)
            #expect(asked.problem == "invalid-value", "\(asked.text)")
        }
    }

    @Test func `one colleague pauses and ends an offer, and two let it go on`() async throws {
        try await ExchangeWorld.run(drives: false) { world in
            let member = try await world.member(5000)
            try await world.link(ExchangeWorld.s7Number, with: "s7", of: member)
            let quoted = try await world.quote("s7-miles", 1000, of: member).json(ExchangeSeen.self).exchange
            let why = #"{"reason": "Партнёр просит"}"#
            #expect(try await Self.ask(world, "/staff/v1/partner-offers/s7-miles/pause", why).status == 200)
            #expect(try await world.quote("s7-miles", 1000, of: member).problem == "offer-closed")
            #expect(try await world.confirm(quoted, of: member).problem == "offer-closed")
            let resumed = try await Self.ask(
                world, "/staff/v1/partner-offers/s7-miles/changes",
                #"{"change": {"isActive": true}, "reason": "Можно"}"#)
            #expect(try await world.quote("s7-miles", 1000, of: member).problem == "offer-closed")
            #expect(try await Self.decide(resumed, world).status == 200)
            #expect(try await world.confirm(quoted, of: member).status == 200)

            #expect(try await Self.ask(world, "/staff/v1/partner-offers/s7-miles/end", why).status == 200)
            #expect(try await world.quote("s7-miles", 1000, of: member).problem == "offer-closed")
            let changes = try await world.staff([.auditor]).get("/staff/v1/partner-changes?partner=s7").json(
                ChangesSeen.self)
            #expect(changes.items.map(\.kind).prefix(3) == ["end-offer", "change-offer", "pause-offer"])
        }
    }

    @Test func `orders go to another address only where the operator allows and two colleagues want it`() async throws {
        try await ExchangeWorld.run(drives: false) { world in
            let path = "/staff/v1/partners/s7/address"
            let before = try await world.staff([.partnerManager]).get("/staff/v1/partners/s7").text
            let evil = try await Self.ask(world, path, #"{"address": "https://evil.example", "reason": "Переезд"}"#)
            #expect(evil.problem == "address-not-allowed")
            let known: String = try await world.owner.one(
                "select address from partners_exchange.partner where partner = 's7'"
            ).decode(String.self)
            let asked = try await Self.ask(world, path, #"{"address": "\#(known)/v2", "reason": "Переезд"}"#)
            #expect(asked.status == 201, "\(asked.text)")
            #expect(try await world.staff([.partnerManager]).get("/staff/v1/partners/s7").text == before)
            #expect(try await Self.decide(asked, world, by: Self.maker).problem == "same-person")
            #expect(try await Self.decide(asked, world).status == 200)
            #expect(try await world.staff([.partnerManager]).get("/staff/v1/partners/s7").text.contains("/v2"))
            let pool = try await Self.ask(
                world, "/staff/v1/partners/litres/address", #"{"address": "\#(known)", "reason": "Переезд"}"#)
            #expect(pool.problem == "not-remote")
        }
    }

    @Test func `the database says too that one person alone changes no rate, and that records stay`() async throws {
        try await ExchangeWorld.run(drives: false) { world in
            let asked = try await Self.ask(
                world, "/staff/v1/partner-offers/s7-miles/changes", #"{"change": {"lowStock": 1}, "reason": "x"}"#)
            let change = try asked.json(ChangeSeen.self).change
            for statement: SQL in [
                """
                update partners_exchange.change set state = 'approved', decided_by = made_by, decided_at = now()
                where change_id = \(change)
                """,
                "update partners_exchange.change set state = 'done' where change_id = \(change)",
                "update partners_exchange.change set comment = 'other' where state = 'approved'",
            ] {
                await #expect(throws: DatabaseError.self) { try await world.owner.execute(statement) }
            }
            await #expect(throws: DatabaseError.self) {
                try await world.database.execute("delete from partners_exchange.change")
            }
        }
    }

    @Test func `a quote that is asked for again is answered again, also when it could not be made any more`()
        async throws
    {
        try await ExchangeWorld.run(drives: false) { world in
            let member = try await world.member(5000)
            try await world.link(ExchangeWorld.s7Number, with: "s7", of: member)
            let client = try await world.client(member)
            let body = #"{"offer": "s7-miles", "points": 1000}"#
            let first = try await client.post("/v1/exchanges", text: body, headers: ["Idempotency-Key": "quote-1"])
            #expect(first.status == 201, "\(first.text)")
            #expect(
                try await Self.ask(world, "/staff/v1/partner-offers/s7-miles/pause", #"{"reason": "Сбой"}"#).status
                    == 200)
            let second = try await client.post("/v1/exchanges", text: body, headers: ["Idempotency-Key": "quote-1"])
            #expect(second.status == 201)
            #expect(second.text == first.text)
            #expect(second.headers["idempotent-replayed"] == "true")
            #expect(
                try await world.owner.one("select count(*) from partners_exchange.exchange").decode(Int64.self) == 1)
        }
    }
}

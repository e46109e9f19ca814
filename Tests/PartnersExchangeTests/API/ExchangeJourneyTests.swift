import Contracts
import FoundationEssentials
import Kernel
import PartnerSimulator
import Postgres
import Redemption
import TestSupport
import Testing
import Web

@testable import PartnersExchange

/// Rows 7 and 22 to 26 of the programme, through HTTP.
@Suite(.exchangeDatabase) struct ExchangeJourneyTests {
    @Test func `points become miles: linked, quoted, confirmed by code, credited, settled`() async throws {
        try await ExchangeWorld.run { world in
            let member = try await world.member(3000)
            #expect(try await world.quote("s7-miles", 2000, of: member).problem == "not-linked")
            let linked = try await world.link("123 456 782", with: "s7", of: member)
            #expect(linked.status == 200)
            #expect(!linked.text.contains("123456782"))

            let id = try await world.exchange("s7-miles", 2000, of: member)
            #expect(world.auth.subjects.map(\.target) == ["S7 Airlines"])
            #expect(world.auth.subjects.map(\.amount) == [2000])
            try await eventually("the order's arrival", isTrue: { !world.book.orders.isEmpty })
            world.book.credit()
            let seen = try await world.drive(id, of: member, to: .settled)
            #expect(seen.units == 800)
            #expect(seen.reference == "P-77001")
            #expect(
                seen.steps.map(\.state) == [
                    .quoted, .confirming, .reserving, .reserved, .submitted, .accepted, .credited, .settled,
                ])
            #expect(try await world.balance(of: member) == [1000, 0])
            #expect(try await world.clearing() == 0)
            let order = try #require(world.book.orders.first)
            #expect(world.book.orders.count == 1)
            #expect(order.order == "\(id)")
            #expect(order.account == "123456782")
            try await eventually("the member hears of it", isTrue: { world.auth.notices.count == 1 })
            #expect(world.auth.notices.first?.russian.body == "S7 Airlines: 800 миль за 2000 баллов зачислены.")
        }
    }

    @Test func `5000 points become a code for books of 500 roubles, one for ever, and nobody else sees it`()
        async throws
    {
        try await ExchangeWorld.run { world in
            let (member, stranger) = (try await world.member(10_000), try await world.member(10_000))
            #expect(try await world.quote("litres-500", 5000, of: member).problem == "sold-out")
            let manager = try await world.staff([.partnerManager])
            let loaded = try await manager.post(
                "/staff/v1/partner-offers/litres-500/codes", ["codes": ["LITRES-0001", "LITRES-0002", "LITRES-0001"]])
            #expect(loaded.text == #"{"added":2,"left":2}"#)

            let id = try await world.exchange("litres-500", 5000, of: member)
            let seen = try await world.drive(id, of: member, to: .settled)
            #expect(seen.code == "LITRES-0001")
            #expect(try await world.balance(of: member) == [5000, 0])
            #expect(try await world.client(stranger).get("/v1/exchanges/\(id)").status == 404)
            #expect(try await world.client(stranger).get("/v1/exchanges").text == #"{"items":[]}"#)
            #expect(try await world.workItems() == ["low-stock"])
            let stored = try await world.owner.query("select code from partners_exchange.code")
            for row in stored {
                let bytes = try row.decode([UInt8].self)
                #expect(!String(decoding: bytes, as: UTF8.self).contains("LITRES"))
            }
        }
    }

    @Test func `a partner that confirms by webhook is believed when it signs, once or twice`() async throws {
        try await ExchangeWorld.run { world in
            let member = try await world.member(3000)
            try await world.link(ExchangeWorld.letualNumber, with: "letual", of: member)
            let id = try await world.exchange("letual-bonus", 500, of: member)
            try await eventually("the order's arrival", isTrue: { !world.book.orders.isEmpty })
            try await eventually("the capture", isTrue: { try await world.balance(of: member) == [2500, 0] })
            world.book.credit()
            let url = "/partner/v1/letual/notifications"
            let news = #"{"order":"\#(id)","status":"credited","reference":"P-1"}"#
            let unsigned = try await world.http.post(url, text: news)
            #expect(unsigned.status == 401)
            #expect(unsigned.problem == "signature-invalid")
            for (path, secret, age) in [
                (url, "another secret", Duration.zero), (url, ExchangeWorld.secret, .seconds(301)),
                ("/partner/v1/s7/notifications", ExchangeWorld.secret, .zero),
            ] {
                let signed = RequestSignature.sign(
                    method: "POST", path: url, body: Array(news.utf8), at: world.clock.now - age, secret: secret)
                let forged = try await world.http.post(
                    path, text: news,
                    headers: ["Club-Timestamp": signed.timestamp, "Club-Signature": signed.signature])
                #expect(forged.status == 401, "\(path) \(secret) \(age)")
            }
            #expect(try await world.see(id, of: member).state == .accepted)

            let control = PartnerControl(world)
            #expect(try await control.tell(id, "credited").status == 200)
            #expect(try await control.tell(id, "credited").status == 200)
            _ = try await world.drive(id, of: member, to: .settled)
            #expect(try await control.tell(id, "credited").status == 200)
            #expect(try await control.tell(id, "rejected").status == 202)
            #expect(try await world.workItems() == ["contradiction"])
            #expect(try await control.tell(world.ids.next(), "credited").status == 404)
            #expect(try await world.balance(of: member) == [2500, 0])
            #expect(try await world.clearing() == 0)
            #expect(world.book.orders.count == 1)
        }
    }

    @Test func `the directory shows partners by category, their offers and the privileges`() async throws {
        struct Partners: Decodable {
            struct Item: Decodable {
                struct Offer: Decodable { let offer: String }
                let partner: String
                let offers: [Offer]
            }
            let items: [Item]
        }
        struct Offers: Decodable {
            struct Item: Decodable { let offer: String }
            let items: [Item]
        }
        try await ExchangeWorld.run { world in
            let all = try await world.http.get("/v1/partners").json(Partners.self)
            #expect(all.items.map(\.partner) == ["s7", "litres", "letual", "tehnosila"])
            let travel = try await world.http.get("/v1/partners?category=travel").json(Partners.self)
            #expect(travel.items.map(\.partner) == ["s7"])
            #expect(try await world.http.get("/v1/partners?category=nonsense").status == 400)
            #expect(try await world.http.get("/v1/partners/nobody").status == 404)
            #expect(try await world.http.get("/v1/privileges").json(Offers.self).items.map(\.offer) == ["litres-500"])
            // The summer's offer is there in summer.
            world.clock.set(to: Timestamp(secondsSince1970: 1_780_300_800))
            let summer = try await world.http.get("/v1/privileges").json(Offers.self)
            #expect(summer.items.map(\.offer) == ["s7-summer", "litres-500"])
            let checked = try await world.http.post("/v1/partners/s7/number", ["number": "123456789"])
            #expect(checked.text == #"{"flaw":"checksum","isValid":false}"#)
        }
    }
}

/// Sends what the partner of webhooks would.
struct PartnerControl {
    let world: ExchangeWorld

    init(_ world: ExchangeWorld) { self.world = world }

    func tell(_ order: Exchange.ID, _ status: String) async throws -> HTTPTestAnswer {
        let path = "/partner/v1/letual/notifications"
        let body = #"{"order":"\#(order)","status":"\#(status)","reference":"P-1"}"#
        let signed = RequestSignature.sign(
            method: "POST", path: path, body: Array(body.utf8), at: self.world.clock.now, secret: ExchangeWorld.secret)
        return try await self.world.http.post(
            path, text: body, headers: ["Club-Timestamp": signed.timestamp, "Club-Signature": signed.signature])
    }
}

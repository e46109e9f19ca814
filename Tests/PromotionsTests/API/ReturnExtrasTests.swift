import HTTPTypes
import HummingbirdTesting
import Kernel
import Postgres
import TestSupport
import Testing
import Web

@testable import Promotions

/// Goods that come back take stickers and coupons with them, in the ledger's own books.
@Suite(.promotionsAndBooks, .capturedLogs) struct ReturnExtrasTests {
    /// Four pieces of 105 roubles.
    private static let lines = #"[{"position": 1, "sku": "a", "quantity": 4000, "price": 10500, "sum": 42000}]"#

    private func open(_ world: TillWorld, _ client: any TestClientProtocol) async throws {
        let approver = try await world.staff(2, .promoApprover, client)
        let body = #"{"title": {"ru": "Тарелки", "en": "Plates"}, "endsAt": "2026-12-31T21:00:00Z"}"#
        #expect(try await approver.ask(.put, "/staff/v1/sticker-campaigns/plates", body).status == 200)
    }

    private func sell(_ document: Int64 = 4711, _ client: any TestClientProtocol) async throws -> ReceiptAnswer {
        try await client.deliver(ReceiptJSON(fiscalDocument: document, lines: Self.lines, total: 42_000).text).read()
    }

    private func giveBack(_ document: Int64, _ pieces: Int64, _ client: any TestClientProtocol) async throws {
        let answer = try await client.ask(
            .post, "/pos/v1/returns", ReturnJSON(document: document, lines: [(1, pieces * 1000)]).text)
        try #require(answer.status == 201, "\(answer.text)")
    }

    private static func stickers(
        _ rule: String, _ count: Int64, each kopecks: Int64, when: SaleCondition? = nil
    ) -> Rule {
        Rule(
            id: rule, lotClass: .promotional, when: when,
            effect: .stickers(campaign: "plates", count: count, kopecks: kopecks))
    }

    @Test func `stickers go back with the goods, part by part, and a rule that no longer holds takes all it gave`()
        async throws
    {
        let world = try await TillWorld()
        let books = try await RealBooks(world)
        try await world.enforce(
            Make.ruleset([
                Make.rule(), Self.stickers("plates", 1, each: 10_000),
                Self.stickers("feast", 10, each: 40_000, when: .total(.init(from: 40_000))),
            ]))
        try await books.run {
            try await world.client { client in
                try await self.open(world, client)
                #expect(try await self.sell(4711, client).stickers?.map(\.count) == [4, 10])
                try await books.reach(42, of: world.member)
                try await eventually("they are there") { try await books.stickers("plates", of: world.member) == 14 }
                // 315 roubles are left: three stickers, and no feast.
                for (part, (pieces, left)) in [(1, 3), (1, 2), (2, 0)].enumerated() {
                    try await self.giveBack(9001 + Int64(part), Int64(pieces), client)
                    try await eventually("\(left) stickers are left") {
                        try await books.stickers("plates", of: world.member) == Int64(left)
                    }
                }
                try await books.reach(0, of: world.member)
            }
        }
        #expect(try await world.count("select sum(count)::bigint from promotions.sticker_move") == 0)
    }

    @Test func `a return is judged by the facts and rules of its sale`() async throws {
        let world = try await TillWorld()
        let books = try await RealBooks(world)
        _ = try await ProfileStore().setSegment("families", of: [world.member], isIn: true, in: world.database)
        try await world.enforce(
            Make.ruleset([
                Make.rule(), Self.stickers("families", 1, each: 10_000, when: .segment(["families"])),
            ]))
        try await books.run {
            try await world.client { client in
                try await self.open(world, client)
                _ = try await self.sell(4711, client)
                try await books.reach(42, of: world.member)
                try await eventually("four") { try await books.stickers("plates", of: world.member) == 4 }
                // No family any more, and other rules.
                _ = try await ProfileStore().setSegment(
                    "families", of: [world.member], isIn: false, in: world.database)
                try await world.enforce(Make.ruleset())
                try await self.giveBack(9001, 1, client)
                try await eventually("three") { try await books.stickers("plates", of: world.member) == 3 }
            }
        }
    }

    @Test func `stickers that are spent are owed, and the next ones pay for them`() async throws {
        let world = try await TillWorld()
        let books = try await RealBooks(world)
        try await world.enforce(Make.ruleset([Make.rule(), Self.stickers("plates", 1, each: 10_000)]))
        try await books.run {
            try await world.client { client in
                try await self.open(world, client)
                _ = try await self.sell(4711, client)
                try await books.reach(42, of: world.member)
                try await eventually("four") { try await books.stickers("plates", of: world.member) == 4 }
                let source = #""source": "stickers", "stickers": {"campaign": "plates", "count": 3}"#
                let campaign = try await CouponRoutesTests.campaign(
                    world, client, count: 5, each: 5, source: source, code: "plate")
                let member = try await world.member(nil, client)
                let path = "/v1/coupon-campaigns/\(campaign)/exchanges"
                #expect(try await member.ask(.post, path, key: "x").status == 201)
                try await self.giveBack(9001, 4, client)
                // One is there and is taken; three are owed.
                try await eventually("three are owed") {
                    try await world.count(
                        """
                        select count(*)
                        from promotions.sticker_move
                        where state = 'refused' and count = -1 and refusal = 'insufficient-stickers'
                        """) == 3
                }
                #expect(try await books.stickers("plates", of: world.member) == 0)
                _ = try await self.sell(4712, client)
                try await eventually("four came, three went") {
                    let open = try await world.count(
                        "select count(*) from promotions.sticker_move where state <> 'done'")
                    let left = try await books.stickers("plates", of: world.member)
                    return open == 0 && left == 1
                }
            }
        }
        #expect(try await world.count("select sum(count)::bigint from promotions.sticker_move") == 4)
    }

    @Test func `a coupon goes when the goods that were kept would not have brought it`() async throws {
        let world = try await TillWorld()
        let books = try await RealBooks(world)
        try await world.enforce(
            Make.ruleset([
                Make.rule(),
                Rule(
                    id: "gift", lotClass: .promotional, when: .total(.init(from: 30_000)),
                    effect: .coupon(campaign: "gift")),
            ]))
        struct Wallet: Decodable { let items: [CouponSeen] }
        try await books.run {
            try await world.client { client in
                _ = try await CouponRoutesTests.campaign(
                    world, client, count: 1, source: #""source": "rule""#, code: "gift")
                #expect(try await self.sell(4711, client).coupons?.map(\.campaign) == ["gift"])
                try await books.reach(42, of: world.member)
                let member = try await world.member(nil, client)
                @Sendable func states() async throws -> [String] {
                    try await member.ask(.get, "/v1/coupons").read(Wallet.self).items.map(\.state)
                }
                try await self.giveBack(9001, 1, client)
                try await books.reach(32, of: world.member)
                #expect(try await states() == ["claimed"], "315 roubles are enough")
                try await self.giveBack(9002, 1, client)
                try await eventually("the coupon is withdrawn") { try await states() == ["withdrawn"] }
                let coupon = try await member.ask(.get, "/v1/coupons").read(Wallet.self).items[0].id
                #expect(try await member.ask(.post, "/v1/coupons/\(coupon)/token").problem?.code == "coupon-over")
                // Its place is free again, and this member may have it.
                #expect(try await world.count("select claimed from promotions.coupon_campaign") == 0)
                #expect(try await self.sell(4712, client).coupons?.map(\.campaign) == ["gift"])
            }
        }
        #expect(try await world.count("select count(*) from promotions.coupon where state = 'claimed'") == 1)
    }
}

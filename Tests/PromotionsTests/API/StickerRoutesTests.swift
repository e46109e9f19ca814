import HTTPTypes
import HummingbirdTesting
import Kernel
import Postgres
import TestSupport
import Testing
import Web

@testable import Promotions

/// Stickers from the receipt to the coupon, in the ledger's own books.
@Suite(.promotionsAndBooks, .capturedLogs) struct StickerRoutesTests {
    private func open(_ world: TillWorld, _ client: any TestClientProtocol) async throws {
        let approver = try await world.staff(2, .promoApprover, client)
        let body = #"{"title": {"ru": "Тарелки", "en": "Plates"}, "endsAt": "2026-12-31T21:00:00Z"}"#
        for _ in 0..<2 {
            #expect(try await approver.ask(.put, "/staff/v1/sticker-campaigns/plates", body).status == 200)
        }
    }

    @Test func `stickers are earned for roubles and exchanged for a coupon, once`() async throws {
        let world = try await TillWorld()
        let books = try await RealBooks(world)
        try await world.enforce(
            Make.ruleset([
                Rule(
                    id: "plates", lotClass: .promotional,
                    effect: .stickers(campaign: "plates", count: 1, kopecks: 10_000))
            ]))
        try await books.run {
            try await world.client { client in
                try await self.open(world, client)
                let answer: ReceiptAnswer = try await client.deliver(ReceiptJSON.text).read()
                #expect(answer.stickers?.map(\.count) == [2])
                // The same receipt again gives none again.
                _ = try await client.deliver(ReceiptJSON.text)
                _ = try await client.deliver(ReceiptJSON(fiscalDocument: 4712).text)
                try await eventually("four stickers") { try await books.stickers("plates", of: world.member) == 4 }
                let source = #""source": "stickers", "stickers": {"campaign": "plates", "count": 3}"#
                let campaign = try await CouponRoutesTests.campaign(
                    world, client, count: 5, each: 5, source: source, code: "plate")
                let member = try await world.member(nil, client)
                let path = "/v1/coupon-campaigns/\(campaign)/exchanges"
                // Nobody takes it without stickers.
                let claimed = try await member.ask(.post, "/v1/coupon-campaigns/\(campaign)/coupons", key: "c")
                #expect(claimed.problem?.code == "not-found")
                let answers = try await withThrowingTaskGroup(of: Answered.self) { group in
                    for _ in 0..<4 { group.addTask { try await member.ask(.post, path, key: "x") } }
                    return try await group.reduce(into: [Answered]()) { $0.append($1) }
                }
                #expect(answers.allSatisfy { $0.status == 201 || $0.status == 200 })
                #expect(Set(try answers.map { try $0.read(CouponSeen.self).id }).count == 1)
                #expect(try await books.stickers("plates", of: world.member) == 1)
                for _ in 0..<2 {
                    let refused = try await member.ask(.post, path, key: "y")
                    #expect(refused.problem?.code == "insufficient-stickers")
                }
                #expect(try await books.stickers("plates", of: world.member) == 1)
                try await eventually("the books have told of both receipts") {
                    try await world.count("select count(*) from promotions.sticker_move where state = 'done'") == 2
                }
            }
        }
        #expect(try await world.count("select claimed from promotions.coupon_campaign") == 1)
        #expect(try await world.count("select count(*) from promotions.coupon") == 1)
    }

    @Test func `a campaign that the books do not know gives nothing, and the receipt is accepted all the same`()
        async throws
    {
        let world = try await TillWorld()
        let books = try await RealBooks(world)
        try await world.enforce(
            Make.ruleset([
                Rule(id: "none", lotClass: .promotional, effect: .stickers(campaign: "none", count: 1, kopecks: 1000))
            ]))
        try await books.run {
            try await world.client { client in
                #expect(try await client.deliver(ReceiptJSON.text).status == 201)
                try await eventually("the books have refused") {
                    try await world.count(
                        "select count(*) from promotions.sticker_move where refusal = 'unknown-campaign'") == 1
                }
            }
        }
    }
}

import Foundation
import TestSupport
import Testing

@testable import Club

/// In the shop: buying, favourites, paying with points, returns, coupons and stickers.
extension MemberStory {
    func `rows 4, 12, 14, 49: buys and sees points, where they came from and when they expire`() async throws {
        let receipt = try await self.till.sell([.milk(2), .chicken(1)], receipt: 1, card: self.vera.card)
        #expect(receipt["points"] == 61)
        try await self.vera.sees(61, because: "619.70 roubles bring a point for every ten, rounded down")
        let calendar = try await self.vera.ask("GET", .ledger, "/v1/lots")
        #expect(calendar["total"]?["points"] == 61)
        let days = calendar["days"]?.items ?? []
        #expect(days.count == 1)
        let expiry = try #require(days.first?["expiresAt"]?.text)
        #expect(expiry > (Date() + 150 * 86_400).ISO8601Format(), "half a year, to the end of a month")
        let feed = try await self.vera.ask("GET", .ledger, "/v1/feed?direction=in")["items"]?.items ?? []
        #expect(feed.count == 1)
        #expect(feed.first?["kind"] == "earn")
        #expect(feed.first?["receipt"]?["id"] == receipt["receipt"])
        #expect(feed.first?["movements"]?.items.first?["rule"] == "base")
    }

    func `rows 2, 42: picks favourites, buys again and sees what they earned`() async throws {
        let chosen = try await self.vera.ask(
            "PUT", .promotions, "/v1/favourites/categories", ["categories": ["maso-i-ptica"]])
        #expect(chosen["earned"] == 0)
        // They stay for the month.
        try await self.vera.ask(
            "PUT", .promotions, "/v1/favourites/categories", ["categories": ["hleb-i-vypecka"]], gives: 409)
        let receipt = try await self.till.sell([.chicken(10)], receipt: 2, card: self.vera.card)
        #expect(receipt["points"] == 2145, "429 by the base rule, four times as much again by the favourites'")
        try await self.vera.sees(61 + 2145, because: "favourites")
        let earned = try await self.vera.ask("GET", .promotions, "/v1/favourites/categories")
        #expect(earned["earned"] == 1716)
        let popular = try await self.vera.ask("GET", .promotions, "/v1/purchases/popular")["items"]?.items ?? []
        #expect(popular.first?["sku"] == "demo-301")
        #expect(popular.first?["receipts"] == 2)
    }

    func `row 6: pays partly with points`() async throws {
        // A wedding: the story needs points.
        let wedding = try await self.till.sell([.tomatoes(2000)], receipt: 3, card: self.vera.card)
        #expect(wedding["points"] == 49_980)
        try await self.vera.sees(52_186, because: "a wedding")
        let goods = [Till.Goods.tomatoes(2)]
        let shown = try await self.vera.ask("POST", .auth, "/v1/me/card/token", gives: 201)
        let payment: JSON = [
            "cardToken": try #require(shown["token"]), "store": .text(self.till.store), "lines": Till.lines(goods),
            "total": .number(Till.total(goods)), "points": 1000,
        ]
        let placed = try await self.till.ask("POST", .promotions, "/pos/v1/authorisations", payment, gives: 201)
        #expect(try await self.vera.balance() == (51_186, 1000))
        // What was on the screen is good for one payment.
        let again = try await self.till.ask("POST", .promotions, "/pos/v1/authorisations", payment, gives: 422)
        #expect(again["code"] == "card-token-used")
        let authorisation = try #require(placed["authorisation"]?.text)
        let path = "/pos/v1/authorisations/\(authorisation)/capture"
        #expect(try await self.till.ask("POST", .promotions, path, [:])["captured"] == 1000)
        #expect(try await self.vera.balance() == (51_186, 0))
        let receipt = try await self.till.sell(
            goods, receipt: 4, card: self.vera.card, authorisation: authorisation)
        #expect(receipt["points"] == 49)
        try await self.vera.sees(51_235, because: "the receipt earns")
    }

    func `row 6: returns one thing, and points go both ways`() async throws {
        let taken = try await self.till.takeBack(1, of: 4, receipt: 5)
        let path = "/pos/v1/returns/\(try #require(taken["return"]?.text))"
        let done = try await eventually("the return is booked") {
            let seen = try await self.till.ask("GET", .promotions, path)
            return seen["state"] == "done" ? seen : nil
        }
        #expect(done["amount"] == 24_990)
        let clawedBack = try #require(done["clawedBack"]?.number)
        let restored = try #require(done["restored"]?.number)
        #expect((24...25).contains(clawedBack))
        #expect(restored == 500, "half of what was paid with points")
        try await self.vera.sees(51_235 - clawedBack + restored, because: "half of it was returned")
    }

    func `rows 44, 51: collects a coupon and shows its code, which a till takes once`() async throws {
        let claim = "/v1/coupon-campaigns/\(try await self.campaign("osen"))/coupons"
        let coupon = try await self.vera.ask("POST", .promotions, claim, gives: 201)
        #expect(try await self.vera.ask("POST", .promotions, claim, gives: 409)["code"] == "coupon-limit")
        let path = "/v1/coupons/\(try #require(coupon["id"]?.text))/token"
        let shown = try await self.vera.ask("POST", .promotions, path)
        let redemption: JSON = ["token": try #require(shown["token"]), "store": .text(self.till.store)]
        let redeemed = try await self.till.ask(
            "POST", .promotions, "/pos/v1/coupons/redemptions", redemption, gives: 201)
        #expect(redeemed["benefit"]?["percent"] == 10)
        let again = try await self.till.ask(
            "POST", .promotions, "/pos/v1/coupons/redemptions", redemption, gives: 409)
        #expect(again["code"] == "coupon-token-used")
        let kept = try await self.vera.ask("GET", .promotions, "/v1/coupons")["items"]?.items ?? []
        #expect(kept.map { $0["state"] } == ["used"])
    }

    func `row 50: collects stickers and exchanges them`() async throws {
        // One for each 500 roubles: 1 + 8 + 999, less what the books have not heard of yet.
        let exchange = "/v1/coupon-campaigns/\(try await self.campaign("skovoroda"))/exchanges"
        let coupon = try await eventually("ten stickers are in the books") {
            let answer = try await self.vera.session.send("POST", .promotions, exchange)
            return answer.status == 201 ? try answer.json(JSON.self) : nil
        }
        #expect(coupon["campaign"] == "skovoroda")
        let kept = try await self.vera.ask("GET", .promotions, "/v1/coupons")["items"]?.items ?? []
        #expect(kept.filter { $0["state"] == "claimed" }.map { $0["campaign"] } == ["skovoroda"])
    }

    private func campaign(_ code: String) async throws -> String {
        let open = try await self.vera.ask("GET", .promotions, "/v1/coupon-campaigns")["items"]?.items ?? []
        return try #require(open.first { $0["code"]?.text == code }?["id"]?.text)
    }
}

import Foundation
import TestSupport
import Testing

@testable import Club

/// Points that leave: books, miles, a donation.
extension MemberStory {
    func `rows 7, 23: exchanges 5000 points for 500 roubles of books`() async throws {
        let before = try await self.vera.balance().available
        let id = try await self.exchange("litres-500", points: 5000)
        let settled = try await self.wait(for: "settled", id)
        #expect(settled["units"] == 500)
        #expect(settled["code"]?.text?.hasPrefix("LITRES-7H2K-") == true)
        #expect(settled["steps"]?.items.last?["state"] == "settled")
        #expect(try await self.vera.balance() == (before - 5000, 0))
    }

    func `rows 25, 26: links a number and exchanges points for miles`() async throws {
        let before = try await self.vera.balance().available
        let refused = try await self.vera.ask(
            "POST", .exchange, "/v1/exchanges", ["offer": "s7-miles", "points": 2000], gives: 409)
        #expect(refused["code"] == "not-linked")
        let link: [String: JSON] = ["surname": "Иванова", "name": "Вера"]
        func linking(_ number: JSON, gives status: Int) async throws {
            let body = link.merging(["number": number], uniquingKeysWith: { $1 })
            try await self.vera.ask("PUT", .exchange, "/v1/links/s7", .object(body), gives: status)
        }
        try await linking("123456789", gives: 422)
        try await linking("123456782", gives: 200)
        let id = try await self.exchange("s7-miles", points: 2000)
        _ = try await self.wait(for: "accepted", id)
        try await self.partner.credit()
        let day = Date().formatted(Date.ISO8601FormatStyle(timeZone: .gmt).year().month().day())
        let file = try await self.partnerManager.session.ask(
            "POST", .exchange, "/staff/v1/partners/s7/files",
            ["day": .text(day), "content": .text(try await self.partner.file())])
        #expect(file["differences"] == 0)
        let settled = try await self.wait(for: "settled", id)
        #expect(settled["units"] == 800)
        #expect(settled["account"] == "6782")
        #expect(try await self.vera.balance() == (before - 2000, 0))
    }

    func `row 27: donates and sees it doubled`() async throws {
        let before = try await self.vera.balance().available
        let campaigns = try await self.programme.ask("GET", .charity, "/v1/campaigns").items
        let campaign = try #require(campaigns.first?["id"])
        let offered = try await self.vera.ask(
            "POST", .charity, "/v1/donations", ["campaign": campaign, "points": 1000], gives: 201)
        #expect(offered["worth"] == 10_000)
        #expect(offered["match"] == 10_000, "as much again from the shop")
        let path = "/v1/donations/\(try #require(offered["id"]?.text))"
        #expect(try await self.vera.ask("POST", .charity, "\(path)/confirm", [:])["state"] == "confirmed")
        try await eventually("the points are set aside") {
            try await self.vera.balance() == (before - 1000, 1000)
        }
        let left = try await self.programme.ask("GET", .charity, "/v1/campaigns").items.first?["matchLeft"]?.number
        #expect(left == (campaigns.first?["matchLeft"]?.number ?? 0) - 10_000)
    }

    /// An exchange as far as the member takes it: a quote, and the code that confirms it.
    private func exchange(_ offer: String, points: Int64) async throws -> String {
        let quote = try await self.vera.ask(
            "POST", .exchange, "/v1/exchanges", ["offer": .text(offer), "points": .number(points)], gives: 201)
        let path = "/v1/exchanges/\(try #require(quote["exchange"]?.text))"
        _ = try await self.vera.confirm(
            .exchange, codeFrom: "\(path)/code", confirmation: "\(path)/confirmation", phone: Self.phone,
            sending: 200)
        return path
    }

    private func wait(for state: JSON, _ path: String) async throws -> JSON {
        try await eventually("the exchange is \(state)") {
            let seen = try await self.vera.ask("GET", .exchange, path)
            return seen["state"] == state ? seen : nil
        }
    }
}

import Foundation
import TestSupport
import Testing

/// What colleagues do before members come: two of them where it costs the programme money.
extension MemberStory {
    private static let day: TimeInterval = 86_400

    private static func moment(days: TimeInterval) -> JSON { .text((Date() + days * Self.day).ISO8601Format()) }

    func prepareCampaigns() async throws {
        let (editor, approver) = (self.colleagues.editor.session, self.colleagues.approver.session)
        try await approver.ask(
            "PUT", .promotions, "/staff/v1/sticker-campaigns/posuda",
            ["title": ["ru": "Посуда", "en": "Tableware"], "endsAt": Self.moment(days: 40)])
        let coupon: [String: JSON] = [
            "from": Self.moment(days: -1), "to": Self.moment(days: 30), "daysValid": 7, "countMax": 1000,
        ]
        let claimed = coupon.merging(
            [
                "code": "osen", "title": ["ru": "Скидка 10 %", "en": "10 % off"], "benefit": ["percent": 10],
                "memberMax": 1, "source": "claim",
            ], uniquingKeysWith: { $1 })
        let exchanged = coupon.merging(
            [
                "code": "skovoroda", "title": ["ru": "Сковорода за 10 наклеек", "en": "A pan for 10 stickers"],
                "benefit": ["percent": 90], "memberMax": 3, "source": "stickers",
                "stickers": ["campaign": "posuda", "count": 10],
            ], uniquingKeysWith: { $1 })
        for campaign in [claimed, exchanged] {
            let drafted = try await editor.ask(
                "POST", .promotions, "/staff/v1/coupon-campaigns", .object(campaign), gives: 201)
            let path = "/staff/v1/coupon-campaigns/\(try #require(drafted["campaign"]?.text))/approve"
            try await editor.ask("POST", .promotions, path, gives: 403)
            try await approver.ask("POST", .promotions, path, gives: 204)
        }
    }

    /// The rules in force and two more: five times the points for favourites, and stickers.
    func prepareRules() async throws {
        let (editor, approver) = (self.colleagues.editor.session, self.colleagues.approver.session)
        let known = try await editor.ask("GET", .promotions, "/staff/v1/rulesets")["items"]?.items ?? []
        let active = try #require(known.first { $0["state"] == "active" }?["ruleset"]?.number)
        let current = try await editor.ask("GET", .promotions, "/staff/v1/rulesets/\(active)")["document"]
        guard case .object(var document)? = current else { throw NotRules() }
        document["rules"] = .array(
            (document["rules"]?.items ?? []) + [
                [
                    "id": "lyubimye", "lotClass": "favourite", "lines": ["favourite": true],
                    "effect": ["earnMultiply": ["percent": 500]],
                ],
                [
                    "id": "nakleyki", "lotClass": "regular",
                    "effect": ["stickers": ["campaign": "posuda", "count": 1, "kopecks": 50_000]],
                ],
            ])
        let drafted = try await editor.ask(
            "POST", .promotions, "/staff/v1/rulesets", .object(document), gives: 201)
        let path = "/staff/v1/rulesets/\(try #require(drafted["ruleset"]?.number))"
        try await editor.ask("POST", .promotions, "\(path)/submit")
        #expect(try await approver.ask("POST", .promotions, "\(path)/activate")["state"] == "active")
    }

    private struct NotRules: Error {}

    /// Books are codes that the partner gave us; miles are ordered over HTTP, where the operator allows.
    func preparePartners() async throws {
        let manager = self.colleagues.partnerManager.session
        let codes: [JSON] = (1...3).map { "LITRES-7H2K-000\($0)" }
        let loaded = try await manager.ask(
            "POST", .exchange, "/staff/v1/offers/litres-500/codes", ["codes": .array(codes)])
        #expect(loaded["added"] == 3)
        try await manager.ask(
            "PATCH", .exchange, "/staff/v1/partners/s7",
            ["address": .text(self.partner.address), "secret": .text(PartnerByTheSea.secret)])
    }
}

import Foundation
import TestSupport
import Testing
import Web

@testable import Club

/// What a member has, one of each kind that a path can name.
struct Belongings: Sendable {
    /// The routes that name it, as they stand in the table of who may: `promotions GET /v1/lists/{list}` has the
    /// parameter `{list}` of `promotions`.
    struct Kind: Hashable, Sendable {
        let part: ServicePart
        let parameter: String
    }

    let ids: [Kind: String]

    /// The member buys something, and starts everything that can be started.
    init(of member: Customer, in crowd: Crowd) async throws {
        _ = try await crowd.till.sell([.tomatoes(2000)], receipt: 1, card: member.card)
        try await member.sees(49_980, because: "a wedding")
        self.ids = [
            Kind(part: .ledger, parameter: "id"): try await Self.transaction(of: member),
            Kind(part: .charity, parameter: "donation"): try await Self.donation(of: member),
            Kind(part: .gifts, parameter: "certificate"): try await Self.certificate(of: member),
            Kind(part: .exchange, parameter: "exchange"): try await Self.exchange(of: member),
            Kind(part: .promotions, parameter: "list"): try await Self.list(of: member),
            Kind(part: .promotions, parameter: "coupon"): try await Self.coupon(of: member, in: crowd),
            Kind(part: .support, parameter: "ticket"): try await Self.ticket(of: member, in: crowd),
            Kind(part: .auth, parameter: "session"): try await Self.session(of: member),
            Kind(part: .auth, parameter: "id"): try await Self.stepUp(of: member),
        ]
    }

    /// The path of a route with the member's own things where a member can have them, else with what is well formed and
    /// nobody's.
    func path(_ line: AuthorisationTable.Line, except others: Set<String> = []) -> String {
        line.path.split(separator: "/").map { step in
            guard step.hasPrefix("{"), step.hasSuffix("}") else { return "/\(step)" }
            let name = String(step.dropFirst().dropLast())
            let own = others.contains(name) ? nil : self.ids[Kind(part: line.part, parameter: name)]
            return "/" + (own ?? Self.wellFormed["\(line.part.rawValue) \(name)"] ?? Self.nobodys)
        }.joined()
    }

    /// The parameters of a route that name something of the member.
    func kinds(of line: AuthorisationTable.Line) -> [Kind] {
        line.path.split(separator: "/").filter { $0.hasPrefix("{") }
            .map { Kind(part: line.part, parameter: String($0.dropFirst().dropLast())) }
            .filter { self.ids[$0] != nil }
    }

    /// Of the right form, and nothing has it.
    static let nobodys = "01936f00-0000-7000-8000-00000000cafe"

    private static let wellFormed = [
        "auth secret": "no-secret", "auth login": "nobody-of-us", "auth role": "support",
        "support article": "no-article", "support key": "no-key", "support code": "no-code",
        "promotions store": "demo-1", "promotions sku": "demo-101", "promotions ruleset": "999999",
        "promotions segment": "no-segment", "partners_exchange partner": "s7",
        "partners_exchange offer": "litres-500", "gift_certificates link": "no-link",
    ]

    private static func transaction(of member: Customer) async throws -> String {
        let feed = try await member.ask("GET", .ledger, "/v1/feed")["items"]?.items ?? []
        return try #require(feed.first?["id"]?.text)
    }

    private static func donation(of member: Customer) async throws -> String {
        let campaigns = try await member.programme.ask("GET", .charity, "/v1/campaigns").items
        let body: JSON = ["campaign": try #require(campaigns.first?["id"]), "points": 100]
        return try #require(try await member.ask("POST", .charity, "/v1/donations", body, gives: 201)["id"]?.text)
    }

    private static func certificate(of member: Customer) async throws -> String {
        let body: JSON = [
            "value": 50_000, "design": ["template": "birthday"], "text": "Тайное поздравление", "from": "Вера",
            "recipient": ["way": "phone", "name": "Мама", "phone": "+79161234569"],
            "delivery": ["zone": "Europe/Moscow"],
        ]
        return try #require(try await member.ask("POST", .gifts, "/v1/certificates", body, gives: 201)["id"]?.text)
    }

    private static func exchange(of member: Customer) async throws -> String {
        let quote = try await member.ask(
            "POST", .exchange, "/v1/exchanges", ["offer": "litres-500", "points": 5000], gives: 201)
        return try #require(quote["exchange"]?.text)
    }

    private static func list(of member: Customer) async throws -> String {
        let id = UUID().uuidString.lowercased()
        try await member.ask("PUT", .promotions, "/v1/lists/\(id)", ["title": "Тайный список"])
        return id
    }

    private static func coupon(of member: Customer, in crowd: Crowd) async throws -> String {
        let campaign: JSON = [
            "code": "vesna", "title": ["ru": "Скидка 10 %", "en": "10 % off"], "benefit": ["percent": 10],
            "from": .text((Date() - 86_400).ISO8601Format()), "to": .text((Date() + 30 * 86_400).ISO8601Format()),
            "daysValid": 7, "countMax": 1000, "memberMax": 1, "source": "claim",
        ]
        let drafted = try await crowd.colleague(.promoEditor).ask(
            "POST", .promotions, "/staff/v1/coupon-campaigns", campaign, gives: 201)
        let id = try #require(drafted["campaign"]?.text)
        try await crowd.colleague(.promoApprover).ask(
            "POST", .promotions, "/staff/v1/coupon-campaigns/\(id)/approve", gives: 204)
        let path = "/v1/coupon-campaigns/\(id)/coupons"
        return try #require(try await member.ask("POST", .promotions, path, gives: 201)["id"]?.text)
    }

    private static func ticket(of member: Customer, in crowd: Crowd) async throws -> String {
        let body: JSON = [
            "reason": "points-missing", "text": "Тайный вопрос", "source": "app", "receipt": crowd.till.fiscal(1),
        ]
        let opened = try await member.session.send("POST", .support, "/v1/tickets", body)
        try #require(opened.status == 201, "\(opened.text)")
        return try #require(try opened.json(JSON.self)["id"]?.text)
    }

    private static func session(of member: Customer) async throws -> String {
        let sessions = try await member.ask("GET", .auth, "/v1/me/sessions")["sessions"]?.items ?? []
        return try #require(sessions.first?["session"]?.text)
    }

    private static func stepUp(of member: Customer) async throws -> String {
        try #require(try await member.ask("POST", .auth, "/v1/me/cards", gives: 202)["id"]?.text)
    }
}

import Contracts
import Foundation
import Kernel
import TestSupport
import Testing

@testable import Club

/// A running system seen from outside: members on their phones, tills, over HTTP and nothing else.
struct Bank: Sendable {
    struct Customer: Sendable {
        let member: Member.ID
        let card: String
        let token: String
    }

    /// What a till was told.
    enum Answer: Hashable, Sendable {
        case done(points: Int64)
        case refused(code: String)
        /// Nobody knows: no answer, or one that says so.
        case unknown
    }

    /// Receipts of three sizes, and what each earns: the till's quote says so beforehand.
    static let totals: [Int64] = [61_970, 250_000, 1_000_000]

    let customers: [Customer]
    let quotes: [Int64: Int64]
    private let promotions: HTTPTestClient
    private let ledger: HTTPTestClient
    private let auth: HTTPTestClient

    /// Registers members, each with a code by SMS, and gives a till its key.
    static func open(_ system: TestSystem, members: Int) async throws -> Bank {
        let state = try #require(SystemFolder(option: system.folder).loadState())
        let auth = HTTPTestClient(try state.url(of: "auth"))
        var customers: [Customer] = []
        for number in 0..<members {
            customers.append(try await Self.register("+7916123456\(number)", auth, system))
        }
        let key = try await system.shell.club("till-key", "issue", "--label", "bank")
        try #require(key.code == 0, "\(key)")
        let promotions = HTTPTestClient(try state.url(of: "promotions"))
            .authorized(key.output.trimmingCharacters(in: .whitespacesAndNewlines))
        var quotes: [Int64: Int64] = [:]
        for total in Self.totals {
            for customer in customers {
                // Promotions hears of a new card a moment later.
                let quote = try await eventually("the card \(customer.card) is known") { () async throws -> Int64? in
                    let answer = try await promotions.post(
                        "/pos/v1/quotes", text: Self.sale(nil, total: total, card: customer.card))
                    return answer.status == 200 ? try answer.json(Points.self).points : nil
                }
                quotes[total] = quote
            }
        }
        return Bank(
            customers: customers, quotes: quotes, promotions: promotions,
            ledger: HTTPTestClient(try state.url(of: "ledger")), auth: auth)
    }

    private struct Points: Decodable { let points: Int64 }
    private struct Issued: Decodable { let challenge: String }
    private struct Offer: Decodable { let registration: String }
    private struct CardToken: Decodable { let token: String }
    private struct Registered: Decodable {
        struct Tokens: Decodable { let accessToken: String }
        let member: Member.ID
        let card: String
        let tokens: Tokens
    }

    private static func register(
        _ phone: String, _ auth: HTTPTestClient, _ system: TestSystem
    ) async throws -> Customer {
        let issued = try await auth.post("/v1/challenges", ["phone": phone]).json(Issued.self)
        let code = try await system.shell.club("sms", "--code", "--wait", "20", phone)
        try #require(code.code == 0, "\(code)")
        let offer = try await auth.post(
            "/v1/sessions",
            [
                "challenge": issued.challenge,
                "code": code.output.trimmingCharacters(in: .whitespacesAndNewlines),
            ]
        ).json(Offer.self)
        let registered = try await auth.post(
            "/v1/registrations",
            text: """
                {"registration": "\(offer.registration)", "fullName": {"last": "Вкладчик", "first": "Номер"},
                 "consents": {"terms": true, "personalData": true, "marketing": false}}
                """
        ).json(Registered.self)
        return Customer(member: registered.member, card: registered.card, token: registered.tokens.accessToken)
    }

    private static func sale(_ fiscal: Int64?, total: Int64, card: String) -> String {
        let triple = fiscal.map { #""fiscal": {"fn": "9999078900001234", "fd": \#($0), "fpd": 7}, "# } ?? ""
        return """
            {\(triple)"store": "demo-1", "at": "\(SystemClock().now)", "card": "\(card)", \
            "lines": [{"position": 1, "sku": "bank-1", "quantity": 1000, "price": \(total), "sum": \(total)}],
             "total": \(total)}
            """
    }

    // MARK: At the till

    /// A body that is sent again and again must stay the same.
    func receiptBody(_ fiscal: Int64, total: Int64, of customer: Customer) -> String {
        Self.sale(fiscal, total: total, card: customer.card)
    }

    func sendReceipt(_ body: String) async -> Answer {
        await Self.answer {
            try await self.promotions.post("/pos/v1/receipts", text: body)
        } read: {
            try $0.json(Points.self).points
        }
    }

    /// What authorises one payment; nil when auth is not to be reached.
    func cardToken(of customer: Customer) async -> String? {
        let answer = try? await self.auth.authorized(customer.token).post("/v1/me/card/token", text: "{}")
        return try? answer?.json(CardToken.self).token
    }

    struct Authorisation: Decodable { let authorisation: Hold.ID }

    /// Asks for points until there is an answer, as a till does: the same key is the same payment.
    func authorise(_ points: Int64, cardToken: String, key: String) async -> (hold: Hold.ID?, answer: Answer) {
        let body = """
            {"cardToken": "\(cardToken)", "store": "demo-1", "points": \(points), "total": 1000000,
             "lines": [{"position": 1, "sku": "bank-1", "quantity": 1000, "price": 1000000, "sum": 1000000}]}
            """
        var last: HTTPTestAnswer?
        let answer = await Self.answer {
            let sent = try await self.promotions.post(
                "/pos/v1/authorisations", text: body, headers: ["idempotency-key": "\"\(key)\""])
            last = sent
            return sent
        } read: { _ in
            points
        }
        return (try? last?.json(Authorisation.self).authorisation, answer)
    }

    /// Takes the points of a hold (nil: gives them back).
    func end(_ hold: Hold.ID, taking points: Int64?) async -> Answer {
        let path = "/pos/v1/authorisations/\(hold)/\(points == nil ? "void" : "capture")"
        return await Self.answer {
            try await self.promotions.post(path, text: points.map { #"{"points": \#($0)}"# } ?? "{}")
        } read: { _ in
            points ?? 0
        }
    }

    private static func answer(
        _ ask: () async throws -> HTTPTestAnswer, read: (HTTPTestAnswer) throws -> Int64
    ) async -> Answer {
        guard let answer = try? await ask() else { return .unknown }
        if answer.status == 200 || answer.status == 201 {
            return (try? read(answer)).map { .done(points: $0) } ?? .unknown
        }
        // 409 and 429 say "ask again", 5xx that nobody knows.
        guard 400..<500 ~= answer.status, ![408, 409, 429].contains(answer.status) else { return .unknown }
        return .refused(code: answer.problem ?? "\(answer.status)")
    }

    // MARK: On the phone

    private struct Balance: Decodable {
        struct Amount: Decodable { let points: Int64 }
        let available, held: Amount
    }

    /// What a member is shown; nil when the ledger is not to be reached.
    func balance(of customer: Customer) async -> (available: Int64, held: Int64)? {
        guard let answer = try? await self.ledger.authorized(customer.token).get("/v1/balance"), answer.status == 200,
            let balance = try? answer.json(Balance.self)
        else { return nil }
        return (balance.available.points, balance.held.points)
    }
}

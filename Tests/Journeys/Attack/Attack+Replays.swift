import Foundation
import Kernel
import TestSupport
import Testing
import Web

@testable import Club

/// What was overheard or stolen, shown again or changed: tokens, signed requests and the webhooks of partners.
extension Attack {
    private static func payment(_ token: JSON, points: Int64 = 1000) -> JSON {
        let goods = [Till.Goods.tomatoes(2)]
        return [
            "cardToken": token, "store": "demo-1", "lines": Till.lines(goods), "total": .number(Till.total(goods)),
            "points": .number(points),
        ]
    }

    private func pay(_ token: JSON) async throws -> HTTPTestAnswer {
        try await self.crowd.sendOnce("POST", .promotions, "/pos/v1/authorisations", Self.payment(token), as: .till)
    }

    func `a card token is good once, and a card number spends nothing`() async throws {
        try await self.replayCardToken()
        try await self.spendWithoutToken()
        let balance = try await self.crowd.member.balance()
        #expect(balance == (48_980, 1000), "one payment, which the till has not taken yet")
    }

    private func replayCardToken() async throws {
        let shown = try await self.crowd.member.ask("POST", .auth, "/v1/me/card/token", gives: 201)
        let token = try #require(shown["token"])
        #expect(try await self.pay(token).status == 201)
        // Photographed over the shoulder, and shown at once at many tills.
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<8 { group.addTask { try await self.pay(token).status } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(statuses == Array(repeating: 422, count: 8))
        // A fresh one whose holder somebody has changed: the signature is of other claims.
        let fresh = try await self.crowd.member.ask("POST", .auth, "/v1/me/card/token", gives: 201)
        let parts = try #require(fresh["token"]?.text).split(separator: ".")
        let foreign = try await self.crowd.other.ask("POST", .auth, "/v1/me/card/token", gives: 201)
        let others = try #require(foreign["token"]?.text).split(separator: ".")
        try #require(parts.count == 3 && others.count == 3)
        #expect(try await self.pay(.text("\(parts[0]).\(parts[1]).\(others[2])")).status == 422)
    }

    /// A million guessed card numbers spend nothing because no card number spends anything: a till that shows one where
    /// a token belongs is refused before anything is looked up, the member's very own number included.
    private func spendWithoutToken() async throws {
        var cards = [self.crowd.member.card]
        for seed in 0..<200 { cards.append(CardNumber.make(random: .seeded(UInt64(seed))).digits) }
        var answers: Set<String> = []
        for card in cards {
            let answer = try await self.pay(.text(card))
            #expect(answer.status == 422, "\(card): \(answer.text)")
            answers.insert(answer.text)
        }
        #expect(answers.count == 1, "and the answer does not tell which numbers there are")
    }

    func `a token of one kind is none of another`() async throws {
        let shown = try await self.crowd.member.ask("POST", .auth, "/v1/me/card/token", gives: 201)
        let card = try #require(shown["token"]?.text)
        let access = await self.crowd.member.session.token
        let staff = try await self.crowd.colleague(.sysadmin).token
        for (token, part, path) in [
            (card, ServicePart.ledger, "/v1/balance"), (staff, .ledger, "/v1/balance"),
            (self.crowd.till.key, .ledger, "/v1/balance"), (access, .auth, "/v1/staff/colleagues"),
            (card, .auth, "/v1/staff/colleagues"), (access, .promotions, "/pos/v1/keys"),
            (staff, .promotions, "/pos/v1/keys"),
        ] {
            let answer = try await self.crowd.programme.send("GET", part, path, token: token)
            #expect(answer.status == 401, "\(part) \(path): \(answer.text)")
        }
        #expect(try await self.pay(.text(access)).status == 422)
    }

    func `a signed request is good once, and for itself only`() async throws {
        let issued = try await self.crowd.programme.club(
            "till-key", "issue", "--scope", "receipts", "--scope", "signed", "--label", "подписывающая касса")
        let key = Secret(try #require(issued["key"]?.text))
        let target = "/pos/v1/keys"
        func ask(_ target: String, signedFor signed: String, at now: Timestamp, nonce: String) async throws -> Int {
            let header = try #require(
                RequestSignature.authorization(
                    key: key, method: "GET", target: signed, body: [], at: now, nonce: nonce))
            return try await self.crowd.programme.send(
                "GET", .promotions, target, headers: ["authorization": header]
            ).status
        }
        let now = SystemClock().now
        #expect(try await ask(target, signedFor: target, at: now, nonce: "first-nonce") == 200)
        #expect(try await ask(target, signedFor: target, at: now, nonce: "first-nonce") == 401)
        #expect(try await ask(target + "?x=1", signedFor: target, at: now, nonce: "second-nonce") == 401)
        #expect(try await ask(target, signedFor: target, at: now - .seconds(600), nonce: "third-nonce") == 401)
        let bearer = try await self.crowd.programme.send("GET", .promotions, target, token: key.text)
        #expect(bearer.status == 401, "a key that must sign is not taken bare")
    }

    func `nobody but the partner tells us of its orders`() async throws {
        let path = "/partner/v1/s7/notifications"
        let news: JSON = ["order": .text(Belongings.nobodys), "status": "credited"]
        func tell(_ body: JSON, _ headers: [String: String], to path: String = path) async throws -> Int {
            try await self.crowd.programme.send("POST", .exchange, path, body, headers: headers).status
        }
        // The right signature is let in, and then the order is unknown.
        let right = try self.crowd.signed("POST", path, news)
        #expect(try await tell(news, right) == 404)
        let forged = try self.crowd.signed("POST", path, news, secret: String(repeating: "guess", count: 8))
        #expect(try await tell(news, forged) == 401)
        let now = Int64(Date().timeIntervalSince1970)
        for age in [-3600, 3600] as [Int64] {
            #expect(try await tell(news, self.crowd.signed("POST", path, news, at: now + age)) == 401)
        }
        // Another body, another partner, no signature, and half of one.
        #expect(try await tell(["order": .text(Belongings.nobodys), "status": "rejected"], right) == 401)
        #expect(try await tell(news, right, to: "/partner/v1/letual/notifications") == 401)
        #expect(try await tell(news, right, to: "/partner/v1/nobody/notifications") == 401)
        #expect(try await tell(news, [:]) == 401)
        #expect(try await tell(news, right.filter { $0.key == "club-signature" }) == 401)
    }
}

import Crypto
import FoundationEssentials
import HTTPTypes
import HummingbirdTesting
import Kernel
import Postgres
import TestSupport
import Testing
import Web

@testable import Promotions

struct CouponSeen: Decodable, Hashable {
    let id: Coupon.ID
    let state: String
}

@Suite(.promotionsDatabase, .capturedLogs) struct CouponRoutesTests {
    /// Coupons that can be taken, drafted by one colleague and approved by another.
    static func campaign(
        _ world: TillWorld, _ client: any TestClientProtocol, count: Int64 = 100, each: Int64 = 1,
        source: String = #""source": "claim""#, code: String = "autumn"
    ) async throws -> String {
        struct Drafted: Decodable { let campaign: String }
        let editor = try await world.staff(1, .promoEditor, client)
        let body = """
            {"code": "\(code)", "title": {"ru": "Скидка 10 %", "en": "10 % off"}, "benefit": {"percent": 10},
            "from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z", "daysValid": 3, "countMax": \(count),
            "memberMax": \(each), \(source)}
            """
        let drafted = try await editor.ask(.post, "/staff/v1/coupon-campaigns", body)
        #expect(drafted.status == 201)
        let id = try drafted.read(Drafted.self).campaign
        let approver = try await world.staff(2, .promoApprover, client)
        #expect(try await approver.ask(.post, "/staff/v1/coupon-campaigns/\(id)/approve").status == 204)
        return id
    }

    private func redeem(
        _ token: String, _ client: any TestClientProtocol, key: String, till: String = TillWorld.key
    ) async throws -> Answered {
        try await client.ask(
            .post, "/pos/v1/coupons/redemptions", #"{"token": "\#(token)", "store": "1"}"#, key: till,
            headers: [try #require(HTTPField.Name("Idempotency-Key")): key])
    }

    private func token(_ coupon: Coupon.ID, _ member: Person) async throws -> String {
        struct Seen: Decodable { let token: String }
        return try await member.ask(.post, "/v1/coupons/\(coupon)/token").read(Seen.self).token
    }

    // vendurehq/vendure PR 4660 (CWE-367), saleor #544, fossasia/eventyay #1398 (five of three), and others.
    @Test func `A11 of many members at once so many get a coupon as there are`() async throws {
        let world = try await TillWorld()
        var members: [Member.ID] = []
        for number in UInt8(1)...12 { members.append(try await world.join(number + 20).member) }
        let everybody = members
        try await world.client { client in
            let campaign = try await Self.campaign(world, client, count: 3)
            let answers = try await withThrowingTaskGroup(of: Answered.self) { group in
                for (index, id) in everybody.enumerated() {
                    let member = try await world.member(id, client)
                    group.addTask {
                        try await member.ask(.post, "/v1/coupon-campaigns/\(campaign)/coupons", key: "claim-\(index)")
                    }
                }
                return try await group.reduce(into: [Answered]()) { $0.append($1) }
            }
            #expect(answers.count { $0.status == 201 } == 3)
            #expect(answers.count { $0.problem?.code == "coupons-sold-out" } == 9)
        }
        #expect(try await world.count("select count(*) from promotions.coupon") == 3)
        #expect(try await world.count("select claimed from promotions.coupon_campaign") == 3)
    }

    @Test func `A11 one member at once gets so many as one may have, and the same request again the same one`()
        async throws
    {
        let world = try await TillWorld()
        try await world.client { client in
            let campaign = try await Self.campaign(world, client, each: 2)
            let member = try await world.member(nil, client)
            let answers = try await withThrowingTaskGroup(of: Answered.self) { group in
                for number in 0..<6 {
                    group.addTask {
                        try await member.ask(.post, "/v1/coupon-campaigns/\(campaign)/coupons", key: "k\(number)")
                    }
                }
                return try await group.reduce(into: [Answered]()) { $0.append($1) }
            }
            #expect(answers.count { $0.status == 201 } == 2)
            #expect(answers.count { $0.problem?.code == "coupon-limit" } == 4)
            let first = try await member.ask(.post, "/v1/coupon-campaigns/\(campaign)/coupons", key: "k0")
            #expect(first.isReplayed)
            struct Wallet: Decodable { let items: [CouponSeen] }
            #expect(try await member.ask(.get, "/v1/coupons").read(Wallet.self).items.count == 2)
        }
        #expect(try await world.count("select claimed from promotions.coupon_campaign") == 2)
    }

    @Test func `of two tills at once one takes the coupon`() async throws {
        let world = try await TillWorld()
        try await world.addKey("till3", store: "1", scopes: ["receipts"])
        try await world.client { client in
            let campaign = try await Self.campaign(world, client)
            let member = try await world.member(nil, client)
            let coupon: CouponSeen = try await member.ask(
                .post, "/v1/coupon-campaigns/\(campaign)/coupons", key: "k"
            ).read()
            let tokens = [try await self.token(coupon.id, member), try await self.token(coupon.id, member)]
            let answers = try await withThrowingTaskGroup(of: Answered.self) { group in
                for number in 0..<8 {
                    let till = number.isMultiple(of: 2) ? TillWorld.key : "ck_till3_secret"
                    let token = tokens[number % 2]
                    group.addTask { try await self.redeem(token, client, key: "r\(number)", till: till) }
                }
                return try await group.reduce(into: [Answered]()) { $0.append($1) }
            }
            #expect(answers.count { $0.status == 201 } == 1)
            #expect(answers.allSatisfy { $0.status == 201 || $0.status == 409 })
            let shown = try await member.ask(.post, "/v1/coupons/\(coupon.id)/token")
            #expect(shown.problem?.code == "coupon-used")
        }
        #expect(try await world.count("select count(*) from promotions.coupon_redemption") == 1)
    }

    @Test func `a redemption is repeated under its key, and its key is no other's`() async throws {
        let world = try await TillWorld()
        try await world.client { client in
            let campaign = try await Self.campaign(world, client, each: 2)
            let member = try await world.member(nil, client)
            let coupon: CouponSeen = try await member.ask(
                .post, "/v1/coupon-campaigns/\(campaign)/coupons", key: "k"
            ).read()
            let token = try await self.token(coupon.id, member)
            let first = try await self.redeem(token, client, key: "r")
            #expect(first.status == 201)
            #expect(!first.text.contains(world.member.description))
            // Long after the token has run out.
            world.clock.advance(by: .seconds(3600))
            let again = try await self.redeem(token, client, key: "r")
            #expect(again.isReplayed)
            #expect(again.text == first.text)
            let other = try await self.redeem(token + "x", client, key: "r")
            #expect(other.problem?.code == "idempotency-key-reused")
        }
    }

    @Test func `a token is good for a minute, for our signature only, and for nobody else's coupon`() async throws {
        let world = try await TillWorld()
        let stranger = try await world.join(31).member
        try await world.client { client in
            let campaign = try await Self.campaign(world, client)
            let member = try await world.member(nil, client)
            let coupon: CouponSeen = try await member.ask(
                .post, "/v1/coupon-campaigns/\(campaign)/coupons", key: "k"
            ).read()
            let foreign = try await world.member(stranger, client).ask(.post, "/v1/coupons/\(coupon.id)/token")
            #expect(foreign.problem?.code == "not-found")
            let token = try await self.token(coupon.id, member)
            let parts = token.split(separator: ".").map(String.init)
            #expect(parts[0] == "PK1")
            let other = try CouponSigner(Secret("another secret that is long enough to be one"))
            let forged = try other.token(for: coupon.id, nonce: [1], at: Make.noon).text
            // Somebody else's signature under our key's name.
            let ours = CouponToken(
                coupon: coupon.id, key: world.parts.signer.id, nonce: "n", expiresAt: Make.noon + .seconds(50))
            let signature = forged.split(separator: ".")[2]
            for bad in [
                forged, "\(try ours.signed()).\(signature)", parts[0] + "." + parts[1], "PK1..", "",
                "PK2." + token.dropFirst(4),
            ] {
                #expect(try await self.redeem(String(bad), client, key: "bad").problem?.code == "coupon-token-invalid")
            }
            world.clock.advance(by: .seconds(60))
            #expect(try await self.redeem(token, client, key: "late").problem?.code == "coupon-token-expired")
            // Three days later the coupon is over.
            world.clock.advance(by: .seconds(3 * 86_400))
            let over = try await member.ask(.post, "/v1/coupons/\(coupon.id)/token")
            #expect(over.problem?.code == "coupon-over")
        }
    }

    @Test func `a till that is offline verifies a token with the published key alone`() async throws {
        let world = try await TillWorld()
        try await world.client { client in
            let campaign = try await Self.campaign(world, client)
            let member = try await world.member(nil, client)
            let coupon: CouponSeen = try await member.ask(
                .post, "/v1/coupon-campaigns/\(campaign)/coupons", key: "k"
            ).read()
            let token = try await self.token(coupon.id, member)
            let keys: KeySet = try await client.ask(.get, "/pos/v1/keys").read()
            #expect(keys.keys.map(\.use) == ["coupon", "card"])
            let point = try #require(token.lastIndex(of: "."))
            let signature = try #require(Base64URL.decode(token[token.index(after: point)...]))
            let key = try Curve25519.Signing.PublicKey(
                rawRepresentation: Data(try #require(Base64URL.decode(keys.keys[0].x))))
            #expect(key.isValidSignature(Data(signature), for: Data(token[..<point].utf8)))
        }
    }

    @Test func `coupons are approved by somebody else, and until then there are none`() async throws {
        let world = try await TillWorld()
        try await world.client { client in
            let editor = try await world.staff(1, .promoEditor, client)
            let both = Person(
                client: client,
                token: try await world.issuer.staffToken(
                    TillWorld.colleague(1), [.promoEditor, .promoApprover], expiresAt: TillWorld.long))
            struct Drafted: Decodable { let campaign: String }
            let body = """
                {"code": "own", "title": {"ru": "а", "en": "a"}, "benefit": {"kopecks": 100},
                "from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z", "daysValid": 3, "countMax": 1,
                "memberMax": 1, "source": "claim"}
                """
            let id = try await editor.ask(.post, "/staff/v1/coupon-campaigns", body).read(Drafted.self).campaign
            #expect(try await editor.ask(.post, "/staff/v1/coupon-campaigns", body).problem?.code == "code-taken")
            #expect(
                try await both.ask(.post, "/staff/v1/coupon-campaigns/\(id)/approve").problem?.code == "wrong-state")
            let member = try await world.member(nil, client)
            let early = try await member.ask(.post, "/v1/coupon-campaigns/\(id)/coupons", key: "k")
            #expect(early.problem?.code == "not-found")
            let wrong = body.replacing(#""kopecks": 100"#, with: #""kopecks": 100, "percent": 5"#)
            #expect(try await editor.ask(.post, "/staff/v1/coupon-campaigns", wrong).status == 400)
        }
        await #expect(throws: DatabaseError.self) {
            try await world.database.execute("update promotions.coupon_campaign set approved_by = drafted_by")
        }
        await #expect(throws: DatabaseError.self) {
            try await world.database.execute("update promotions.coupon_campaign set claimed = 2")
        }
    }

    @Test func `a rule gives coupons as long as there are any`() async throws {
        let world = try await TillWorld()
        try await world.client { client in
            _ = try await Self.campaign(world, client, count: 2, each: 5, source: #""source": "rule""#, code: "gift")
            try await world.enforce(
                Make.ruleset([
                    Make.rule(), Rule(id: "gift", lotClass: .promotional, effect: .coupon(campaign: "gift")),
                ]))
            for document in 1...3 {
                let answer: ReceiptAnswer = try await client.deliver(
                    ReceiptJSON(fiscalDocument: Int64(document)).text
                ).read()
                // What is sold out is not shown: the receipt says what the member has got.
                #expect(answer.coupons?.map(\.campaign) == (document < 3 ? ["gift"] : nil))
                #expect(answer.points == Points(22))
            }
            let quote = try await client.ask(.post, "/pos/v1/quotes", ReceiptJSON(fiscalDocument: 4).text)
            #expect(quote.status == 200 && !quote.text.contains("gift"))
        }
        #expect(try await world.count("select count(*) from promotions.coupon where receipt_id is not null") == 2)
    }

    @Test func `of receipts at the same time as many show a coupon as there are coupons, and each only what is given`()
        async throws
    {
        let world = try await TillWorld()
        var cards: [CardNumber] = []
        for number in UInt8(1)...8 { cards.append(try await world.join(number + 40).card) }
        let everybody = cards
        try await world.client { client in
            _ = try await Self.campaign(world, client, count: 3, source: #""source": "rule""#, code: "gift")
            try await world.enforce(
                Make.ruleset([Rule(id: "gift", lotClass: .promotional, effect: .coupon(campaign: "gift"))]))
            let answers = try await withThrowingTaskGroup(of: Answered.self) { group in
                for (index, card) in everybody.enumerated() {
                    let receipt = ReceiptJSON(fiscalDocument: Int64(index + 1), card: card.digits).text
                    group.addTask { try await client.deliver(receipt) }
                }
                return try await group.reduce(into: [Answered]()) { $0.append($1) }
            }
            #expect(answers.allSatisfy { $0.status == 201 })
            let shown = try answers.count { try $0.read(ReceiptAnswer.self).coupons != nil }
            #expect(shown == 3)
        }
        #expect(
            try await world.count(
                """
                select count(*)
                from promotions.coupon
                join promotions.receipt using (receipt_id)
                where answer ? 'coupons'
                """) == 3)
    }

    @Test func `a coupon that was taken for the sale is a condition of rules, somebody else's is not`() async throws {
        let world = try await TillWorld()
        let stranger = try await world.join(31)
        try await world.enforce(
            Make.ruleset([
                Rule(
                    id: "double", lotClass: .promotional, when: .coupon(["autumn"]),
                    effect: .earnAdd(points: 50, each: .receipt))
            ]))
        try await world.client { client in
            let campaign = try await Self.campaign(world, client)
            let member = try await world.member(nil, client)
            let coupon: CouponSeen = try await member.ask(
                .post, "/v1/coupon-campaigns/\(campaign)/coupons", key: "k"
            ).read()
            func deliver(_ document: Int64, _ card: CardNumber) async throws -> Int64 {
                let receipt = ReceiptJSON(fiscalDocument: document, card: card.digits).text
                    .replacing(#""store""#, with: #""coupons": ["\#(coupon.id)"], "store""#)
                return try await client.deliver(receipt).read(ReceiptAnswer.self).points.amount
            }
            #expect(try await deliver(1, TillWorld.card) == 0)
            _ = try await self.redeem(try await self.token(coupon.id, member), client, key: "r")
            #expect(try await deliver(2, TillWorld.card) == 50)
            #expect(try await deliver(3, stranger.card) == 0)
        }
    }
}

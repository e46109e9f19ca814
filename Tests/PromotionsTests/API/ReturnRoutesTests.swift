import HTTPTypes
import HummingbirdTesting
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Promotions

/// Goods that come back, through HTTP, the bus and the ledger's own functions.
@Suite(.promotionsAndBooks, .capturedLogs) struct ReturnRoutesTests {
    private func giveBack(_ goods: ReturnJSON, _ client: any TestClientProtocol) async throws -> Answered {
        try await client.ask(.post, "/pos/v1/returns", goods.text)
    }

    /// A return when the books have dealt with it.
    private func ended(_ answer: Answered, _ client: any TestClientProtocol) async throws -> ReturnSeen {
        let id = try answer.read(ReturnSeen.self).return
        return try await eventually("the return has ended") {
            let seen: ReturnSeen = try await client.ask(.get, "/pos/v1/returns/\(id)").read()
            return ["done", "refused"].contains(seen.state) ? seen : nil
        }
    }

    // odoo/odoo PR 257854 and 238806: buy, earn, refund, keep the points, without end.
    @Test func `A1 points of returned goods are taken back, once`() async throws {
        let world = try await TillWorld()
        let books = try await RealBooks(world)
        try await books.run {
            try await world.client { client in
                _ = try await client.deliver(ReceiptJSON.text)
                try await books.reach(22, of: world.member)
                let first = try await self.giveBack(ReturnJSON(), client)
                #expect(first.status == 201)
                #expect(!first.text.contains(world.member.description))
                let done = try await self.ended(first, client)
                #expect((done.amount, done.points, done.clawedBack, done.restored) == (9655, 10, 10, 0))
                try await books.reach(12, of: world.member)
                let again = try await self.giveBack(ReturnJSON(document: 9002), client)
                #expect(again.status == 422)
                #expect(again.problem?.code == "return-exceeds-line")
                let rest = try await self.giveBack(ReturnJSON(document: 9003, lines: [(1, 1000)]), client)
                _ = try await self.ended(rest, client)
                try await books.reach(0, of: world.member)
            }
        }
    }

    // odoo/odoo PR 212922: a refund of an order that was paid with points took the points a second time.
    @Test func `A2 points that paid for returned goods come back, once`() async throws {
        let world = try await TillWorld()
        let books = try await RealBooks(world)
        let token = try await world.issuer.cardToken(world.member, id: "t1")
        let dear = #"[{"position": 1, "sku": "a", "quantity": 2000, "price": 500000, "sum": 1000000}]"#
        try await books.run {
            try await world.client { client in
                _ = try await client.deliver(ReceiptJSON(fiscalDocument: 1, lines: dear, total: 1_000_000).text)
                try await books.reach(1000, of: world.member)
                let payment = """
                    {"cardToken": "\(token)", "store": "1", "points": 600, "total": 22000, "lines":
                    [{"position": 1, "sku": "a", "quantity": 1000, "price": 22000, "sum": 22000}]}
                    """
                let key = try #require(HTTPField.Name("Idempotency-Key"))
                let placed = try await client.ask(.post, "/pos/v1/authorisations", payment, headers: [key: "1"])
                let hold = try placed.read(AuthorisationSeen.self).authorisation
                // Before the points are taken they pay for nothing.
                let paid = ReceiptJSON.replacing(#""store""#, #""authorisations": ["\#(hold)"], "store""#)
                #expect(try await client.deliver(paid).problem?.code == "payment-mismatch")
                _ = try await client.ask(.post, "/pos/v1/authorisations/\(hold)/capture", "{}")
                #expect(try await client.deliver(paid).status == 201)
                try await books.reach(422, of: world.member)
                // And they pay once.
                let other = ReceiptJSON(fiscalDocument: 4712).text.replacing(
                    #""store""#, with: #""authorisations": ["\#(hold)"], "store""#)
                #expect(try await client.deliver(other).problem?.code == "payment-mismatch")
                let first = try await self.ended(try await self.giveBack(ReturnJSON(), client), client)
                #expect((first.clawedBack, first.restored) == (10, 263))
                let rest = try await self.giveBack(ReturnJSON(document: 9002, lines: [(1, 1000)]), client)
                #expect(try await self.ended(rest, client).restored == 337)
                try await books.reach(1000, of: world.member)
            }
        }
    }

    // frappe/erpnext #32951, PR 30242; frappe/books PR 1305; spree-loyalty-points #8: wrong amounts after a return.
    @Test func `A4 parts that come back one by one are the whole exactly`() async throws {
        let world = try await TillWorld()
        let books = try await RealBooks(world)
        let lines = #"[{"position": 3, "sku": "a", "quantity": 7000, "price": 1433, "sum": 10031}]"#
        try await books.run {
            try await world.client { client in
                _ = try await client.deliver(ReceiptJSON(lines: lines, total: 10_031).text)
                try await books.reach(10, of: world.member)
                var amounts: [Int64] = []
                for part in 0..<7 {
                    let goods = ReturnJSON(document: 9000 + Int64(part), lines: [(3, 1000)])
                    let done = try await self.ended(try await self.giveBack(goods, client), client)
                    #expect(done.points == done.clawedBack)
                    amounts.append(try #require(done.amount))
                }
                #expect(amounts.reduce(0, +) == 10_031)
                #expect(amounts.allSatisfy { 1433...1434 ~= $0 })
                try await books.reach(0, of: world.member)
            }
        }
    }

    // odoo/odoo #114004: points were paid for the line of the reward as well.
    @Test func `A5 what a coupon or an exchange paid for earns nothing`() async throws {
        let world = try await TillWorld()
        let books = try await RealBooks(world)
        let lines = """
            [{"position": 1, "sku": "a", "quantity": 1000, "price": 10000, "sum": 10000},
            {"position": 2, "sku": "b", "quantity": 1000, "price": 90000, "sum": 90000, "tags": ["reward"]}]
            """
        try await books.run {
            try await world.client { client in
                let answer: ReceiptAnswer = try await client.deliver(ReceiptJSON(lines: lines, total: 100_000).text)
                    .read()
                #expect(answer.lines.map(\.points.amount) == [10, 0])
                #expect(answer.lines[1].reasons.map(\.rule) == ["reward"])
                try await books.reach(10, of: world.member)
                let back = try await self.giveBack(ReturnJSON(lines: [(2, 1000)]), client)
                #expect(try await self.ended(back, client).clawedBack == 0)
                try await books.reach(10, of: world.member)
            }
        }
    }

    // DivanteLtd/open-loyalty #76.
    @Test func `A6 the same return many times is one, and other content under its triple is refused`() async throws {
        let world = try await TillWorld()
        let books = try await RealBooks(world)
        try await books.run {
            try await world.client { client in
                _ = try await client.deliver(ReceiptJSON.text)
                try await books.reach(22, of: world.member)
                let answers = try await withThrowingTaskGroup(of: Answered.self) { group in
                    for _ in 0..<6 { group.addTask { try await self.giveBack(ReturnJSON(), client) } }
                    return try await group.reduce(into: [Answered]()) { $0.append($1) }
                }
                #expect(answers.count { $0.status == 201 } == 1)
                #expect(answers.count { $0.status == 200 && $0.isReplayed } == 5)
                #expect(Set(try answers.map { try $0.read(ReturnSeen.self).return }).count == 1)
                _ = try await self.ended(answers[0], client)
                try await books.reach(12, of: world.member)
                let other = try await self.giveBack(ReturnJSON(lines: [(1, 1000)]), client)
                #expect(other.problem?.code == "fiscal-conflict")
                // A document of a drive is a receipt or a return, never both.
                let sale = ReturnJSON(document: 4712, lines: [(1, 1000)]).text
                    .replacing(#""fd": 4712, "fpd": 7"#, with: #""fd": 4711, "fpd": 1234567890"#)
                    .replacing(
                        #""fd": 4711, "fpd": 1234567890}, "store""#, with: #""fd": 4710, "fpd": 1234567890}, "store""#)
                #expect(try await client.ask(.post, "/pos/v1/returns", sale).problem?.code == "fiscal-conflict")
            }
        }
    }

    @Test func `a return that arrives before its sale waits for it`() async throws {
        let world = try await TillWorld()
        let books = try await RealBooks(world)
        try await books.run {
            try await world.client { client in
                let early = try await self.giveBack(ReturnJSON(), client)
                #expect(early.status == 202)
                #expect(try early.read(ReturnSeen.self).state == "waiting")
                // What cannot be is found out when the sale is there.
                let impossible = try await self.giveBack(ReturnJSON(document: 9002, lines: [(7, 1000)]), client)
                #expect(impossible.status == 202)
                _ = try await client.deliver(ReceiptJSON.text)
                #expect(try await self.ended(early, client).clawedBack == 10)
                #expect(try await self.ended(impossible, client).refusal == "unknown-line")
                try await books.reach(12, of: world.member)
                let told = try await self.giveBack(ReturnJSON(document: 9002, lines: [(7, 1000)]), client)
                #expect(told.problem?.code == "unknown-line")
            }
        }
    }

    @Test func `of returns of one line at the same time no more comes back than was sold`() async throws {
        let world = try await TillWorld()
        let books = try await RealBooks(world)
        try await books.run {
            try await world.client { client in
                _ = try await client.deliver(ReceiptJSON.text)
                try await books.reach(22, of: world.member)
                let answers = try await withThrowingTaskGroup(of: Answered.self) { group in
                    for part in 0..<4 {
                        let goods = ReturnJSON(document: 9000 + Int64(part), lines: [(2, 300)])
                        group.addTask { try await self.giveBack(goods, client) }
                    }
                    return try await group.reduce(into: [Answered]()) { $0.append($1) }
                }
                #expect(answers.count { $0.status == 201 } == 1)
                #expect(answers.count { $0.problem?.code == "return-exceeds-line" } == 3)
            }
        }
    }

    @Test func `a return is judged by the rules of its sale, not by those in force`() async throws {
        let world = try await TillWorld()
        let books = try await RealBooks(world)
        try await books.run {
            try await world.client { client in
                _ = try await client.deliver(ReceiptJSON.text)
                try await books.reach(22, of: world.member)
                try await world.enforce(Make.ruleset([Make.rule("tenfold", points: 10)]))
                let done = try await self.ended(try await self.giveBack(ReturnJSON(), client), client)
                #expect(done.clawedBack == 10)
            }
        }
    }

    @Test func `a till sees no return of another store, and brings none`() async throws {
        let world = try await TillWorld()
        try await world.addKey("till2", store: "2", scopes: ["receipts"])
        try await world.client { client in
            let goods = try await self.giveBack(ReturnJSON(), client)
            let id = try goods.read(ReturnSeen.self).return
            let foreign = try await client.ask(.get, "/pos/v1/returns/\(id)", key: "ck_till2_secret")
            #expect(foreign.problem?.code == "not-found")
            let brought = try await self.giveBack(ReturnJSON(document: 9009, store: "2"), client)
            #expect(brought.problem?.code == "foreign-store")
            let empty = try await self.giveBack(ReturnJSON(document: 9009, lines: []), client)
            #expect(empty.problem?.code == "empty-receipt")
        }
    }

    @Test func `points of an online order wait for its delivery`() async throws {
        let world = try await TillWorld()
        let books = try await RealBooks(world)
        try await books.run {
            try await world.client { client in
                let online = ReceiptJSON.replacing(#""store""#, #""maturesAt": "2026-11-26T12:00:00+03:00", "store""#)
                #expect(try await client.deliver(online).status == 201)
                try await eventually("the points wait") {
                    try await world.count(
                        "select coalesce(sum(pending), 0)::bigint from ledger.member") == 22
                }
                #expect(try await books.balance(world.member).available == 0)
                let early = ReceiptJSON(fiscalDocument: 4713).text.replacing(
                    #""store""#, with: #""maturesAt": "2026-11-22T12:00:00+03:00", "store""#)
                #expect(try await client.deliver(early).problem?.code == "invalid-time")
            }
        }
    }
}

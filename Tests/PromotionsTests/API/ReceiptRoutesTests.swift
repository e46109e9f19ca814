import HTTPTypes
import HummingbirdTesting
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Promotions

@Suite(.promotionsDatabase, .capturedLogs) struct ReceiptRoutesTests {
    @Test func `a receipt is answered line by line, stored, and sent to the ledger`() async throws {
        let world = try await TillWorld()
        let answer = try await world.client { try await $0.deliver(ReceiptJSON.text) }
        #expect(answer.status == 201)
        #expect(!answer.isReplayed)
        let body: ReceiptAnswer = try answer.read()
        #expect(body.points == Points(22))
        #expect(body.ruleset == 1)
        #expect(body.lines.map(\.points.amount) == [12, 10])
        #expect(body.lines[0].reasons.map(\.rule) == ["base"])
        #expect(!answer.text.contains(world.member.description))
        let row = try await world.owner.one(
            """
            select member_id, points, ruleset, till_key, posted_at is null
            from promotions.receipt
            where receipt_id = \(body.receipt.raw)
            """)
        let (member, points, ruleset, till, isUnposted) = try row.decode(
            Member.ID.self, Int64.self, Int64.self, String.self, Bool.self)
        #expect(member == world.member)
        #expect((points, ruleset, till, isUnposted) == (22, 1, "till1", true))
        let lines = try await world.owner.query(
            "select position, points, coalesce(tags, '{}') from promotions.receipt_line order by position"
        ).map { try $0.decode(Int32.self, Int64.self, [String].self) }
        #expect(lines.map(\.0) == [1, 2])
        #expect(lines.map(\.1) == [12, 10])
        #expect(lines.map(\.2) == [["alcohol"], []])
        let jobs = try await world.postedJobs()
        #expect(jobs.map(\.receipt) == [body.receipt])
        #expect(jobs.map(\.member) == [world.member])
        #expect(jobs[0].accruals.map(\.points) == [Points(22)])
    }

    @Test func `tobacco and gift cards earn nothing by the first ruleset`() async throws {
        let world = try await TillWorld()
        let lines = """
            [{"position": 1, "sku": "a", "quantity": 1000, "price": 100, "sum": 5000, "tags": ["tobacco"]},
            {"position": 2, "sku": "b", "quantity": 1000, "price": 100, "sum": 6000, "tags": ["gift-card"]},
            {"position": 3, "sku": "c", "quantity": 1000, "price": 100, "sum": 7000, "category": "tobacco"},
            {"position": 4, "sku": "d", "quantity": 1000, "price": 100, "sum": 8000, "category": "gift-cards"},
            {"position": 5, "sku": "e", "quantity": 0, "price": 100, "sum": 1999}]
            """
        let answer = try await world.client { try await $0.deliver(ReceiptJSON(lines: lines, total: 27_999).text) }
        let body: ReceiptAnswer = try answer.read()
        #expect(body.points == Points(1))
        let rules = body.lines.map { $0.reasons.map(\.rule) }
        #expect(rules == [["tobacco"], ["gift-cards"], ["tobacco"], ["gift-cards"], ["base"]])
    }

    @Test func `a receipt that earned nothing is sent to the ledger all the same`() async throws {
        let world = try await TillWorld()
        let lines = #"[{"position": 1, "sku": "a", "quantity": 0, "price": 0, "sum": 0}]"#
        let answer = try await world.client { try await $0.deliver(ReceiptJSON(lines: lines, total: 0).text) }
        #expect(answer.status == 201)
        #expect(try await world.postedJobs().map(\.accruals) == [[]])
    }

    // A6: DivanteLtd/open-loyalty #76 accepted the same receipt number many times.
    @Test func `A6 the same receipt many times earns once`() async throws {
        let world = try await TillWorld()
        let first = try await world.client { try await $0.deliver(ReceiptJSON.text) }
        let after = try await world.footprint()
        for _ in 0..<3 {
            // White space is not content.
            let again = try await world.client { try await $0.deliver(ReceiptJSON.replacing("\n", "  \n")) }
            #expect(again.status == 200)
            #expect(again.isReplayed)
            #expect(again.text == first.text)
        }
        #expect(try await world.footprint() == after)
    }

    @Test(arguments: [
        (#""sku": "b""#, #""sku": "c""#), ("22000", "22001"), (TillWorld.card.digits, Make.card(2).digits),
        ("12:00:00", "12:00:01"),
    ])
    func `A6 the same fiscal triple with other content is refused and written down once`(
        old: String, new: String
    ) async throws {
        let world = try await TillWorld()
        try await CardStore().upsert(
            [.init(number: Make.card(2), member: world.member, issuedAt: Make.noon)], in: world.database)
        let first = try await world.client { try await $0.deliver(ReceiptJSON.text) }
        var other = ReceiptJSON.replacing(old, new)
        if new == "22001" { other = other.replacing(#""sum": 9655"#, with: #""sum": 9656"#) }
        let contradiction = other
        let before = try await world.footprint()
        for _ in 0..<2 {
            let answer = try await world.client { try await $0.deliver(contradiction) }
            #expect(answer.status == 422)
            #expect(answer.problem?.code == "fiscal-conflict")
        }
        let events = try await world.owner.query(
            "select receipt_id, till_key, store_id from promotions.fraud_event"
        ).map { try $0.decode(Receipt.ID.self, String.self, String.self) }
        #expect(events.map(\.0) == [try first.read(ReceiptAnswer.self).receipt])
        #expect(events.map(\.1) == ["till1"])
        var expected = before
        expected[3] += 1
        #expect(try await world.footprint() == expected)
    }

    @Test func `A6 one receipt delivered by eight tills at once is stored once, with one job`() async throws {
        let world = try await TillWorld()
        let answers = try await world.client { client in
            try await withThrowingTaskGroup(of: Answered.self) { group in
                for _ in 0..<8 { group.addTask { try await client.deliver(ReceiptJSON.text) } }
                return try await group.reduce(into: [Answered]()) { $0.append($1) }
            }
        }
        #expect(answers.count { $0.status == 201 } == 1)
        #expect(answers.count { $0.status == 200 && $0.isReplayed } == 7)
        #expect(Set(answers.map(\.text)).count == 1)
        #expect(try await world.footprint().prefix(4) == [1, 1, 2, 0])
        #expect(try await world.postedJobs().count == 1)
    }

    @Test func `a repetition is answered even after the receipt has become too old`() async throws {
        let world = try await TillWorld()
        let first = try await world.client { try await $0.deliver(ReceiptJSON.text) }
        world.clock.advance(by: .seconds(40 * 86_400))
        let again = try await world.client { try await $0.deliver(ReceiptJSON.text) }
        #expect(again.status == 200)
        #expect(again.text == first.text)
        let other = try await world.client { try await $0.deliver(ReceiptJSON(fiscalDocument: 4712).text) }
        #expect(other.problem?.code == "receipt-too-old")
    }

    @Test func `the job exists if and only if the receipt does`() async throws {
        let world = try await TillWorld()
        // Lines cannot be written: the whole transaction is undone, the job in it.
        try await world.owner.execute("alter table promotions.receipt_line add constraint none check (position < 0)")
        let failed = try await world.client { try await $0.deliver(ReceiptJSON.text) }
        #expect(failed.status == 500)
        #expect(try await world.footprint().prefix(3) == [0, 0, 0])
        #expect(try await world.postedJobs().isEmpty)
        try await world.owner.execute("alter table promotions.receipt_line drop constraint none")
        // Jobs cannot be written: the receipt is undone too.
        try await world.owner.execute("revoke execute on all functions in schema queue from club_bus")
        #expect(try await world.client { try await $0.deliver(ReceiptJSON.text) }.status == 500)
        #expect(try await world.footprint().prefix(3) == [0, 0, 0])
        try await world.owner.execute("grant execute on all functions in schema queue to club_bus")
        #expect(try await world.client { try await $0.deliver(ReceiptJSON.text) }.status == 201)
        #expect(try await world.postedJobs().count == 1)
    }

    @Test func `a quote answers as the receipt would and writes nothing`() async throws {
        let world = try await TillWorld()
        let before = try await world.footprint()
        let fiscal = #""fiscal": {"fn": "9999078900000001", "fd": 4711, "fpd": 1234567890}, "#
        for body in [ReceiptJSON.text, ReceiptJSON.replacing(fiscal, "")] {
            let answer = try await world.client { try await $0.ask(.post, "/pos/v1/quotes", body) }
            #expect(answer.status == 200)
            let quote: QuoteSeen = try answer.read()
            #expect(quote.points == Points(22))
            #expect(quote.lines.map(\.points.amount) == [12, 10])
        }
        #expect(try await world.footprint() == before)
        let refused = try await world.client { try await $0.ask(.post, "/pos/v1/quotes", ReceiptJSON(store: "2").text) }
        #expect(refused.problem?.code == "foreign-store")
    }

    @Test func `receipts of past months make their partitions`() async throws {
        let world = try await TillWorld()
        try await world.addKey("import", scopes: ["receipts", "import"])
        let moments = ["2017-01-31T23:59:59Z", "2017-02-01T00:00:00Z", "2017-12-31T21:00:00Z", "2017-01-01T00:00:00Z"]
        // All at once: two of them need the same month.
        try await world.client { client in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for (index, at) in moments.enumerated() {
                    let receipt = ReceiptJSON(fiscalDocument: Int64(index + 1), at: at).text
                    group.addTask { try await client.deliver(receipt, key: "ck_import_secret").status }
                }
                for try await status in group { #expect(status == 201) }
            }
        }
        let partitions = try await world.owner.query(
            "select distinct tableoid::regclass::text from promotions.receipt order by 1"
        ).map { try $0.decode(String.self) }
        #expect(partitions == ["receipt_2017_01", "receipt_2017_02", "receipt_2017_12"].map { "promotions." + $0 })
    }
}

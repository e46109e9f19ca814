import Contracts
import HTTPTypes
import HummingbirdTesting
import Kernel
import Postgres
import TestSupport
import Testing
import Web

@testable import Promotions

@Suite(.promotionsDatabase, .capturedLogs) struct FavouriteRoutesTests {
    private struct Chosen: Decodable {
        let categories: [String]
        let most: Int
        let earned: Int64
        let earnedMoney: Int64
        let cap: Int64?
        let isLocked: Bool
        let opensAt: Timestamp
        let closesAt: Timestamp
        let effectiveFrom: Timestamp?
    }

    @Test func `favourites are chosen once a month, so many as the level has, and show what they earned`() async throws
    {
        let world = try await TillWorld()
        for shelf in ["meat", "milk", "fish", "bread"] {
            try await world.stock([(shelf + "-1", shelf, 100)], shelf: shelf)
        }
        try await ImportCatalogue(database: world.database)([
            CategoryRecord(id: "fish", title: "Рыба"), CategoryRecord(id: "carp", title: "Карп", parent: "fish"),
        ]).written.expectAbove(0)
        try await world.enforce(
            Make.ruleset([
                Make.rule(),
                Rule(
                    id: "liked", lotClass: .favourite, lines: .favourite(true),
                    effect: .earnRate(points: 1, kopecks: 100)),
            ]))
        try await world.client { client in
            let member = try await world.member(nil, client)
            let path = "/v1/favourites/categories"
            let four = #"{"categories": ["meat", "milk", "fish", "bread"]}"#
            #expect(try await member.ask(.put, path, four).problem?.limit == 3)
            let odd = #"{"categories": ["stars"]}"#
            #expect(try await member.ask(.put, path, odd).problem?.code == "unknown-category")
            let past = #"{"categories": ["fish"], "month": "2026-10"}"#
            #expect(try await member.ask(.put, path, past).problem?.code == "wrong-month")
            for _ in 0..<2 {
                #expect(
                    try await member.ask(.put, path, #"{"categories": ["fish"]}"#).read(Chosen.self).categories == [
                        "fish"
                    ])
            }
            #expect(try await member.ask(.put, path, odd).problem?.code == "favourites-chosen")
            // A shelf below counts with its parent.
            let lines =
                #"[{"position": 1, "sku": "x", "quantity": 1000, "price": 9000, "sum": 9000, "category": "carp"}]"#
            let answer: ReceiptAnswer = try await client.deliver(ReceiptJSON(lines: lines, total: 9000).text).read()
            #expect(answer.points == Points(99))
            #expect(try await member.ask(.get, path).read(Chosen.self).earned == 90)
            // The month of the sale decides, not that of the arrival.
            let late = ReceiptJSON(fiscalDocument: 2, at: "2026-10-31T12:00:00+03:00", lines: lines, total: 9000)
            #expect(try await client.deliver(late.text).read(ReceiptAnswer.self).points == Points(9))
            let next = try await member.ask(.put, path, #"{"categories": ["milk"], "month": "2026-12"}"#)
            #expect(next.status == 200)
            #expect(try await member.ask(.get, path + "?month=2026-12").read(Chosen.self).categories == ["milk"])
        }
    }

    @Test func `the next month is chosen for from the 20th, counts from the next receipt on, and has a cap`()
        async throws
    {
        let world = try await TillWorld()
        try await world.stock([("m", "Мясо", 100)], shelf: "meat")
        let limits = Rule.Limits(member: [.init(period: .month, points: 100)])
        try await world.enforce(
            Make.ruleset([
                Rule(
                    id: "liked", lotClass: .favourite, lines: .favourite(true),
                    effect: .earnRate(points: 1, kopecks: 100), limits: limits)
            ]))
        try await world.client { client in
            let member = try await world.member(nil, client)
            let path = "/v1/favourites/categories"
            let open: Chosen = try await member.ask(.get, path + "?month=2026-12").read()
            #expect(!open.isLocked && open.effectiveFrom == nil && open.cap == 100)
            #expect(open.opensAt == Timestamp("2026-11-19T21:00:00Z"))
            #expect(open.closesAt == Timestamp("2026-12-31T21:00:00Z"))
            let lines =
                #"[{"position": 1, "sku": "x", "quantity": 1000, "price": 9000, "sum": 9000, "category": "meat"}]"#
            func earn(_ document: Int64, _ at: String) async throws -> Int64 {
                let receipt = ReceiptJSON(fiscalDocument: document, at: at, lines: lines, total: 9000).text
                return try await client.deliver(receipt).read(ReceiptAnswer.self).points.amount
            }
            world.clock.advance(by: .seconds(3600))
            let chosen: Chosen = try await member.ask(.put, path, #"{"categories": ["meat"]}"#).read()
            #expect(chosen.isLocked && chosen.effectiveFrom == world.clock.now)
            // What was bought before the choice, in the same month, is no favourite.
            #expect(try await earn(1, "2026-11-23T12:59:59+03:00") == 0)
            #expect(try await earn(2, "2026-11-23T13:00:00+03:00") == 90)
            #expect(try await earn(3, "2026-11-23T13:00:01+03:00") == 10)
            let earned: Chosen = try await member.ask(.get, path).read()
            #expect((earned.earned, earned.earnedMoney) == (100, 1000))
        }
    }

    @Test func `before the 20th nobody chooses for the next month`() async throws {
        let world = try await TillWorld()
        try await world.stock([("m", "Мясо", 100)], shelf: "meat")
        let early = try #require(Timestamp("2026-12-19T20:59:59Z"))
        world.clock.advance(by: early - Make.noon)
        try await world.client { client in
            let member = try await world.member(nil, client)
            let body = #"{"categories": ["meat"], "month": "2027-01"}"#
            let path = "/v1/favourites/categories"
            #expect(try await member.ask(.put, path, body).problem?.code == "selection-not-open")
            world.clock.advance(by: .seconds(1))
            #expect(try await member.ask(.put, path, body).status == 200)
        }
    }

    @Test func `a member is told once of a lower price of a favourite product`() async throws {
        let world = try await TillWorld()
        try await world.stock([("a", "Филе", 30_000), ("b", "Фарш", 30_000)])
        try await world.client { client in
            let member = try await world.member(nil, client)
            for sku in ["a", "b", "a"] {
                #expect(try await member.ask(.put, "/v1/favourites/products/\(sku)").status == 204)
            }
            #expect(try await member.ask(.put, "/v1/favourites/products/z").problem?.code == "unknown-product")
            #expect(try await member.ask(.delete, "/v1/favourites/products/b").status == 204)
            struct Page: Decodable {
                struct Item: Decodable { let sku: String }
                let items: [Item]
            }
            #expect(try await member.ask(.get, "/v1/favourites/products").read(Page.self).items.map(\.sku) == ["a"])
        }
        let watch = world.parts.watchPrices
        #expect(try await watch() == 0)
        try await world.stock([("a", "Филе", 35_000), ("b", "Фарш", 100)])
        #expect(try await watch() == 0)
        try await world.stock([("a", "Филе", 29_990)])
        // Two processes look at the same time.
        async let first = watch()
        async let second = watch()
        #expect(try await first + second == 1)
        #expect(try await watch() == 0)
        let notices = try await world.count(
            """
            select count(*)
            from queue.job
            join queue.queue on queue.id = job.queue_id
            where queue.name = 'auth.notifications'
            """)
        #expect(notices == 1)
    }

    @Test func `levels are judged by the month before, returns taken off, twice without harm`() async throws {
        let world = try await TillWorld()
        let idle = try await world.join(50).member
        @Sendable func receipt(_ document: Int64, _ at: String, _ total: Int64) -> String {
            let lines = #"[{"position": 1, "sku": "a", "quantity": 2000, "price": \#(total), "sum": \#(total)}]"#
            return ReceiptJSON(fiscalDocument: document, at: at, lines: lines, total: total).text
        }
        try await world.client { client in
            _ = try await client.deliver(receipt(1, "2026-11-01T00:00:00+03:00", 2_000_000))
            _ = try await client.deliver(receipt(2, "2026-10-31T23:59:59+03:00", 9_000_000))
            _ = try await client.deliver(receipt(3, "2026-11-20T12:00:00+03:00", 1_500_000))
        }
        try await world.owner.execute(
            """
            insert into promotions.member_level (member_id, level, month, turnover)
            values (\(idle), 'gold', '2026-10-01', 5000000)
            """)
        // A half of the third receipt has come back.
        try await world.owner.execute(
            """
            with goods as (
                insert into promotions.goods_return (
                    return_id, fn, fd, fpd, sale_fn, sale_fd, sale_fpd, store_id, till_key, returned_at, accepted_at,
                    fingerprint, state, member_id, receipt_id, sold_at
                )
                select
                    receipt_id, fn, 99, fpd, fn, fd, fpd, store_id, till_key, sold_at, accepted_at, '', 'done', member_id,
                    receipt_id, sold_at
                from promotions.receipt
                where fd = 3
                returning return_id
            )
            insert into promotions.goods_return_line (return_id, position, quantity, amount, points)
            select return_id, 1, 1000, 750000, 0
            from goods
            """)
        world.clock.advance(by: .seconds(8 * 86_400))
        func levels() async throws -> [String] {
            try await world.owner.query(
                "select level || ' ' || turnover || ' ' || month from promotions.member_level order by turnover desc"
            ).map { try $0.decode(String.self) }
        }
        for _ in 0..<2 {
            try await world.parts.judgeLevels()
            #expect(try await levels() == ["silver 2750000 2026-11-01", "start 0 2026-11-01"])
        }
        struct Level: Decodable {
            let level: String
            let favourites: Int
        }
        let level: Level = try await world.client { client in
            try await world.member(nil, client).ask(.get, "/v1/level").read()
        }
        #expect((level.level, level.favourites) == ("silver", 5))
    }
}

extension Int {
    fileprivate func expectAbove(_ other: Int) { #expect(self > other) }
}

import HTTPTypes
import HummingbirdTesting
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Promotions

/// Limits and budgets when many receipts come at once.
@Suite(.promotionsDatabase, .capturedLogs) struct CounterTests {
    private func gift(_ id: String, _ points: Int64, limits: Rule.Limits? = nil, budget: String? = nil) -> Rule {
        Rule(
            id: id, lotClass: .promotional, effect: .earnAdd(points: points, each: .receipt), limits: limits,
            budget: budget)
    }

    private func deliverAtOnce(
        _ receipts: [ReceiptJSON], to world: TillWorld
    ) async throws -> [ReceiptAnswer] {
        try await world.client { client in
            try await withThrowingTaskGroup(of: ReceiptAnswer.self) { group in
                for receipt in receipts { group.addTask { try await client.deliver(receipt.text).read() } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
        }
    }

    @Test func `a member gets a limited gift so often as the limit says, however many receipts come at once`()
        async throws
    {
        let world = try await TillWorld()
        let limits = Rule.Limits(member: [.init(period: .day, times: 2), .init(period: .month, points: 250)])
        try await world.enforce(Make.ruleset([self.gift("gift", 100, limits: limits)]))
        let answers = try await self.deliverAtOnce((1...8).map { ReceiptJSON(fiscalDocument: $0) }, to: world)
        #expect(answers.map(\.points.amount).sorted() == [0, 0, 0, 0, 0, 0, 100, 100])
        #expect(try await world.count("select points from promotions.rule_use where period = 'day'") == 200)
        // The next day the month's limit cuts.
        world.clock.advance(by: .seconds(86_400))
        let next = try await self.deliverAtOnce(
            [ReceiptJSON(fiscalDocument: 20, at: "2026-11-24T12:00:00+03:00")], to: world)
        #expect(next.map(\.points.amount) == [50])
        // What comes again counts nothing again.
        let again = try await self.deliverAtOnce((1...8).map { ReceiptJSON(fiscalDocument: $0) }, to: world)
        #expect(again.reduce(0) { $0 + $1.points.amount } == 200)
        #expect(try await world.count("select points from promotions.rule_use where period = 'month'") == 250)
    }

    @Test func `a late receipt counts in the period of its sale`() async throws {
        let world = try await TillWorld()
        let limits = Rule.Limits(member: [.init(period: .day, times: 1)])
        try await world.enforce(Make.ruleset([self.gift("gift", 100, limits: limits)]))
        var points: [Int64] = []
        for (document, day) in [(1, 23), (2, 20), (3, 23), (4, 20), (5, 21)] {
            let receipt = ReceiptJSON(fiscalDocument: Int64(document), at: "2026-11-\(day)T12:00:00+03:00")
            points += try await self.deliverAtOnce([receipt], to: world).map(\.points.amount)
        }
        #expect(points == [100, 100, 0, 0, 100])
    }

    @Test(arguments: [Budget.WhenSpent.cut, .stop])
    func `a budget in slices gives no point more than it has, and none is lost`(
        whenSpent: Budget.WhenSpent
    ) async throws {
        let world = try await TillWorld()
        var ruleset = Make.ruleset([self.gift("gift", 70, budget: "autumn")])
        ruleset.budgets = [Budget(id: "autumn", points: 1000, slices: 4, whenSpent: whenSpent)]
        try await world.enforce(ruleset)
        var receipts: [ReceiptJSON] = []
        for number in UInt8(1)...20 {
            receipts.append(
                ReceiptJSON(fiscalDocument: Int64(number), card: try await world.join(number + 10).card.digits))
        }
        let given = try await self.deliverAtOnce(receipts, to: world).reduce(0) { $0 + $1.points.amount }
        let left = try await world.count("select sum(points)::bigint from promotions.budget_slice")
        #expect(given + left == 1000)
        // Four slices of 250 hold three gifts of 70 each; what is left of a slice is cut or stays.
        #expect(whenSpent == .cut ? given == 1000 : given == 840)
        let quote = try await world.client {
            try await $0.ask(.post, "/pos/v1/quotes", ReceiptJSON(fiscalDocument: 99).text)
        }
        #expect(try quote.read(QuoteSeen.self).points.amount == 0)
    }

    @Test func `a budget grows with a new ruleset and never becomes smaller`() async throws {
        let world = try await TillWorld()
        var ruleset = Make.ruleset([self.gift("gift", 70, budget: "autumn")])
        ruleset.budgets = [Budget(id: "autumn", points: 100, slices: 2, whenSpent: .cut)]
        try await world.enforce(ruleset)
        ruleset.budgets = [Budget(id: "autumn", points: 150, slices: 2, whenSpent: .cut)]
        try await world.enforce(ruleset)
        #expect(try await world.count("select sum(points)::bigint from promotions.budget_slice") == 150)
        ruleset.budgets = [Budget(id: "autumn", points: 140, slices: 2, whenSpent: .cut)]
        let smaller = ruleset
        await #expect(throws: ActivateRuleset.Refusal.budgetLowered) { try await world.enforce(smaller) }
    }

    @Test func `facts of the member decide: level, segment, birthday, favourites, the third visit`() async throws {
        let world = try await TillWorld()
        func rule(_ id: String, _ points: Int64, when: SaleCondition? = nil, lines: LineCondition? = nil) -> Rule {
            Rule(
                id: id, lotClass: .promotional, when: when, lines: lines,
                effect: .earnAdd(points: points, each: .receipt))
        }
        try await world.enforce(
            Make.ruleset([
                rule("gold", 1, when: .level(["gold"])), rule("family", 10, when: .segment(["families"])),
                rule("birthday", 100, when: .birthday(.init(before: 1, after: 1))),
                rule("third", 1000, when: .visit(.init(every: 3))), rule("liked", 10_000, lines: .favourite(true)),
            ]))
        #expect(try await self.deliverAtOnce([ReceiptJSON(fiscalDocument: 1)], to: world)[0].points == .zero)
        try await world.stock([("a", "Филе", 100)])
        try await world.owner.execute(
            """
            insert into promotions.member_profile (member_id, segments, birth_month, birth_day)
            values (\(world.member), '{families}', 11, 24)
            """)
        try await world.owner.execute(
            """
            insert into promotions.member_level (member_id, level, month, turnover)
            values (\(world.member), 'gold', '2026-10-01', 1)
            """)
        try await world.owner.execute(
            """
            insert into promotions.favourite_product (member_id, sku, added_at)
            values (\(world.member), 'a', '2026-11-23T12:00:00+03:00')
            """)
        let second = ReceiptJSON(fiscalDocument: 2, at: "2026-11-23T12:00:01+03:00")
        #expect(try await self.deliverAtOnce([second], to: world)[0].points == Points(10_111))
        let third = ReceiptJSON(fiscalDocument: 3, at: "2026-11-23T12:00:02+03:00")
        #expect(try await self.deliverAtOnce([third], to: world)[0].points == Points(11_111))
    }
}

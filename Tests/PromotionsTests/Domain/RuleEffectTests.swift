import Kernel
import TestSupport
import Testing

@testable import Promotions

@Suite struct RuleEffectTests {
    private func evaluate(
        _ rules: [Rule], _ lines: [ReceiptLine] = [Make.line(1, sum: 10_000), Make.line(2, sum: 20_000)],
        groups: [RuleGroup] = [], budgets: [Budget] = [], _ change: (inout MemberFacts) -> Void = { _ in }
    ) throws -> Evaluation {
        var ruleset = Make.ruleset(rules)
        (ruleset.groups, ruleset.budgets) = (groups, budgets)
        try ruleset.validate()
        var facts = MemberFacts(member: IDGenerator.uuidV7(clock: SystemClock()).next())
        change(&facts)
        return try Ruleset.Version(number: 7, ruleset: ruleset).evaluate(Make.sale(lines), for: facts, at: Make.noon)
    }

    private func rule(
        _ id: String, _ effect: Rule.Effect, lines: LineCondition? = nil, group: String? = nil, priority: Int? = nil,
        limits: Rule.Limits? = nil, budget: String? = nil
    ) -> Rule {
        Rule(
            id: id, lotClass: .promotional, lines: lines, effect: effect, group: group, priority: priority,
            limits: limits, budget: budget)
    }

    @Test func `a multiplier gives the rest of the multiple, over the lines that earned`() throws {
        let triple = self.rule("triple", .earnMultiply(percent: 300), lines: .category(["meat"]))
        let lines = [Make.line(1, sum: 10_000, category: "meat"), Make.line(2, sum: 20_000)]
        let evaluation = try self.evaluate([Make.rule(), triple], lines)
        #expect(evaluation.accruals.map(\.points.amount) == [30, 20])
        #expect(evaluation.lines.map(\.points.amount) == [30, 20])
        // Whatever stands first in the document.
        #expect(try self.evaluate([triple, Make.rule()], lines).points == evaluation.points)
    }

    @Test func `points are added for the receipt or for each whole piece`() throws {
        let lines = [Make.line(1, sum: 10_000), Make.line(2, sum: 0)]
        #expect(try self.evaluate([self.rule("a", .earnAdd(points: 7, each: .receipt))], lines).points == Points(7))
        #expect(try self.evaluate([self.rule("a", .earnAdd(points: 7, each: .piece))], lines).points == Points(14))
        // Points stand on lines that cost something, where a return finds them.
        let free = try self.evaluate([self.rule("a", .earnAdd(points: 7, each: .receipt))], [Make.line(sum: 0)])
        #expect(free.points == .zero)
    }

    @Test func `a price is told to the till where it is lower, and of two the lower one`() throws {
        let evaluation = try self.evaluate(
            [
                self.rule("cheap", .price(kopecks: 9000), lines: .product(["a"])),
                self.rule("cheaper", .price(kopecks: 8000), lines: .product(["a"])),
                self.rule("dear", .price(kopecks: 90_000)),
            ], [Make.line(1, sku: "a", sum: 10_000), Make.line(2, sku: "b", sum: 20_000)])
        #expect(evaluation.lines.map { $0.discount?.amount } == [2000, nil])
        #expect(evaluation.points == .zero)
    }

    @Test func `stickers are given for roubles and for pieces, and coupons for receipts`() throws {
        let evaluation = try self.evaluate(
            [
                self.rule("each", .stickers(campaign: "plates", count: 1, kopecks: 12_000)),
                self.rule("milk", .stickers(campaign: "plates", count: 2, kopecks: nil), lines: .product(["a"])),
                self.rule("gift", .coupon(campaign: "autumn")),
            ], [Make.line(1, sku: "a", sum: 10_000), Make.line(2, sku: "b", sum: 20_000)])
        #expect(evaluation.stickers.map(\.count) == [2, 2])
        #expect(evaluation.coupons.map(\.campaign) == ["autumn"])
    }

    @Test func `a refusal leaves its lines out of everything and says why`() throws {
        let refusal = self.rule(
            "fraud", .refuse(russian: "Карта сотрудника", english: "A card of staff"), lines: .tag(["alcohol"]))
        let evaluation = try self.evaluate(
            [Make.rule(), refusal, self.rule("double", .earnMultiply(percent: 200))],
            [Make.line(1, sum: 10_000), Make.line(2, sum: 20_000, tags: ["alcohol"])])
        #expect(evaluation.lines.map(\.points.amount) == [20, 0])
        #expect(evaluation.lines[1].reasons == [.init(code: .refused, rule: "fraud", text: "Карта сотрудника")])
    }

    private var contest: [Rule] {
        [
            self.rule("ten", .earnAdd(points: 10, each: .receipt), group: "g"),
            self.rule("thirty", .earnAdd(points: 30, each: .receipt), group: "g", priority: -1),
            self.rule("twenty", .earnAdd(points: 20, each: .receipt), group: "g"),
            self.rule("one", .earnAdd(points: 1, each: .receipt)),
        ]
    }

    @Test(
        arguments: [(.best, 31), (.sum, 61), (.first, 11), (.exclusive, 10)] as [(mode: RuleGroup.Mode, points: Int64)])
    func `a group decides which of its rules give something`(mode: RuleGroup.Mode, points: Int64) throws {
        let evaluation = try self.evaluate(self.contest, groups: [RuleGroup(id: "g", mode: mode)])
        #expect(evaluation.points.amount == points)
    }

    @Test func `the first and the exclusive one is the first that gives anything`() throws {
        let rules =
            [
                self.rule(
                    "nothing", .earnAdd(points: 99, each: .receipt), lines: .tag(["none"]), group: "g", priority: 9)
            ] + self.contest
        #expect(try self.evaluate(rules, groups: [RuleGroup(id: "g", mode: .first)]).points == Points(11))
        #expect(try self.evaluate(rules, groups: [RuleGroup(id: "g", mode: .exclusive)]).points == Points(10))
        // An exclusive group that gives nothing keeps nobody else away.
        let idle = [rules[0], rules[4]]
        #expect(try self.evaluate(idle, groups: [RuleGroup(id: "g", mode: .exclusive)]).points == Points(1))
    }

    @Test func `limits are a receipt's and a member's, and what they cut is told`() throws {
        let capped = self.rule("a", .earnAdd(points: 50, each: .receipt), limits: .init(receiptPoints: 30))
        let evaluation = try self.evaluate([capped])
        #expect(evaluation.points == Points(30))
        #expect(evaluation.lines[0].reasons.map(\.code) == [.earned, .limited])
        let monthly = self.rule(
            "a", .earnAdd(points: 50, each: .receipt),
            limits: .init(member: [.init(period: .month, points: 70), .init(period: .day, times: 2)]))
        func given(_ points: Int64, _ times: Int64) throws -> Int64 {
            try self.evaluate([monthly]) {
                $0.used[RulePeriod(rule: "a", period: .month)] = RuleUse(points: points, times: 1)
                $0.used[RulePeriod(rule: "a", period: .day)] = RuleUse(points: points, times: times)
            }.points.amount
        }
        #expect(try given(0, 0) == 50)
        #expect(try given(50, 1) == 20)
        #expect(try given(70, 1) == 0)
        #expect(try given(0, 2) == 0)
    }

    @Test(arguments: [(Budget.WhenSpent.cut, 60), (.stop, 50)] as [(whenSpent: Budget.WhenSpent, points: Int64)])
    func `rules share a budget, and it says what happens when it runs out`(
        whenSpent: Budget.WhenSpent, points: Int64
    ) throws {
        let rules = ["a", "b"].map { self.rule($0, .earnAdd(points: 50, each: .receipt), budget: "autumn") }
        let budget = Budget(id: "autumn", points: 1000, slices: 1, whenSpent: whenSpent)
        let evaluation = try self.evaluate(rules, budgets: [budget]) { $0.budgets = ["autumn": 60] }
        #expect(evaluation.points.amount == points)
        #expect(evaluation.spent == ["autumn": points])
    }

    @Test(arguments: 0..<100)
    func `whatever the rules are, lines sum to accruals, and limits and budgets hold`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let categories = ["meat", "milk", "wine"]
        let modes: [RuleGroup.Mode] = [.best, .sum, .first, .exclusive]
        let groups = ["g", "h"].map { RuleGroup(id: $0, mode: modes[Int.random(in: 0..<4, using: &random)]) }
        let budget = Budget(
            id: "b", points: 1_000_000, slices: 4, whenSpent: Bool.random(using: &random) ? .cut : .stop)
        let rules = (0..<Int.random(in: 1...8, using: &random)).map { index in
            let effect: Rule.Effect =
                switch Int.random(in: 0..<4, using: &random) {
                case 0: .earnRate(points: 1, kopecks: Int64.random(in: 1...2000, using: &random))
                case 1: .earnMultiply(percent: Int64.random(in: 101...500, using: &random))
                case 2: .earnAdd(points: Int64.random(in: 1...300, using: &random), each: .piece)
                default: .earnAdd(points: Int64.random(in: 1...300, using: &random), each: .receipt)
                }
            return self.rule(
                "r\(index)", effect,
                lines: Bool.random(using: &random)
                    ? .category([categories[Int.random(in: 0..<3, using: &random)]]) : nil,
                group: [nil, "g", "h"][Int.random(in: 0..<3, using: &random)],
                priority: Int.random(in: -2...2, using: &random),
                limits: Bool.random(using: &random)
                    ? .init(receiptPoints: Int64.random(in: 0...200, using: &random)) : nil,
                budget: Bool.random(using: &random) ? "b" : nil)
        }
        let lines = (1...Int32.random(in: 1...20, using: &random)).map { position in
            Make.line(
                position, sum: Int64.random(in: 0...50_000, using: &random),
                category: categories[Int.random(in: 0..<3, using: &random)])
        }
        let left = Int64.random(in: 0...500, using: &random)
        let evaluation = try self.evaluate(rules, lines, groups: groups, budgets: [budget]) { $0.budgets = ["b": left] }
        let total = evaluation.points.amount
        #expect(evaluation.accruals.reduce(0) { $0 + $1.points.amount } == total)
        #expect(evaluation.lines.reduce(0) { $0 + $1.points.amount } == total)
        #expect(evaluation.spent["b"] ?? 0 <= left)
        for accrual in evaluation.accruals {
            let limit = rules.first { $0.id == accrual.rule }?.limits?.receiptPoints
            #expect(accrual.points.amount <= limit ?? .max)
        }
        for (line, result) in zip(lines, evaluation.lines) where line.sum == .zero { #expect(result.points == .zero) }
        for group in groups where group.mode == .best || group.mode == .first {
            let given = evaluation.accruals.filter { accrual in
                rules.contains { $0.id == accrual.rule && $0.group == group.id }
            }
            #expect(given.count <= 1)
        }
    }

    @Test func `what cannot be meant is refused before it is stored`() {
        func defect(_ rules: [Rule], _ change: (inout Ruleset) -> Void = { _ in }) -> Ruleset.Defect? {
            var ruleset = Make.ruleset(rules)
            change(&ruleset)
            do throws(Ruleset.Defect) {
                try ruleset.validate()
                return nil
            } catch { return error }
        }
        #expect(defect([self.rule("a", .earnMultiply(percent: 100))]) == .rateOutOfRange(rule: "a"))
        #expect(
            defect([self.rule("a", .earnAdd(points: 1, each: .receipt), group: "g")]) == .unknownName("g", rule: "a"))
        #expect(
            defect([self.rule("a", .earnAdd(points: 1, each: .receipt), budget: "b")]) == .unknownName("b", rule: "a"))
        #expect(defect([self.rule("reward", .coupon(campaign: "x"))]) == .repeatedName("reward"))
        let day = Rule(
            id: "a", lotClass: .regular, when: .all([.weekday([8])]), effect: .earnRate(points: 1, kopecks: 10))
        #expect(defect([day]) == .numberOutOfRange("a"))
        #expect(
            defect([]) { $0.budgets = [Budget(id: "b", points: 0, slices: 1, whenSpent: .cut)] }
                == .numberOutOfRange("b"))
    }
}

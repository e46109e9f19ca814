import Kernel
import TestSupport
import Testing

@testable import Promotions

@Suite struct EvaluationTests {
    private func evaluate(
        _ lines: [ReceiptLine], _ ruleset: Ruleset = Make.ruleset(exclusions: [Make.tobacco]),
        at now: Timestamp = Make.noon
    ) throws -> Evaluation {
        let member = MemberFacts(member: IDGenerator.uuidV7(clock: SystemClock()).next())
        return try Ruleset.Version(number: 7, ruleset: ruleset).evaluate(Make.sale(lines), for: member, at: now)
    }

    @Test(
        arguments: [
            (sums: [10_000], points: 10), (sums: [999], points: 0), (sums: [1000], points: 1),
            (sums: [1999], points: 1),
            // Rounded down once: each of these lines alone would give nothing.
            (sums: [400, 400, 400], points: 1), (sums: [999, 1], points: 1), (sums: [0], points: 0),
            (sums: [1_000_000_000_000], points: 1_000_000_000),
        ] as [(sums: [Int64], points: Int64)])
    func `a point for each 10 roubles of the receipt, rounded down once`(sums: [Int64], points: Int64) throws {
        let lines = sums.enumerated().map { Make.line(Int32($0.offset + 1), sum: $0.element) }
        let evaluation = try self.evaluate(lines)
        #expect(evaluation.points.amount == points)
        #expect(evaluation.ruleset == 7)
        #expect(evaluation.accruals.map(\.points.amount) == (points == 0 ? [] : [points]))
    }

    /// odoo/odoo #114004: points were also paid for the reward's own line. What points or a coupon have paid for is a
    /// discount of its line, and only the sum that is left earns.
    @Test func `A5 what was paid with points earns nothing`() throws {
        func bought(_ position: Int32, price: Int64, paidWithPoints discount: Int64) throws -> ReceiptLine {
            ReceiptLine(
                position: position, sku: "reward", quantity: try #require(Quantity(thousandths: 1000)),
                price: try #require(Kopecks(price)), discount: try #require(Kopecks(discount)),
                sum: try #require(Kopecks(price - discount)), tags: [])
        }
        let evaluation = try self.evaluate([
            try bought(1, price: 50_000, paidWithPoints: 50_000), try bought(2, price: 30_000, paidWithPoints: 10_000),
        ])
        #expect(evaluation.points == Points(20))
        #expect(evaluation.lines.map(\.points) == [.zero, try #require(Points(20))])
    }

    @Test(arguments: 0..<64)
    func `any receipt earns what a direct computation gives, and its lines sum to it`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let kinds: [(tags: [String], category: String?, counts: Bool)] = [
            ([], nil, true), (["alcohol"], "wine", true), (["tobacco"], nil, false), ([], "tobacco", false),
            (["alcohol", "tobacco"], "wine", false),
        ]
        var direct: Int64 = 0
        var lines: [ReceiptLine] = []
        for position in 1...Int32.random(in: 1...60, using: &random) {
            let kind = kinds[Int.random(in: kinds.indices, using: &random)]
            let sum = Int64.random(in: 0...150_000, using: &random)
            if kind.counts { direct += sum }
            lines.append(Make.line(position, sum: sum, category: kind.category, tags: kind.tags))
        }
        let evaluation = try self.evaluate(lines)
        #expect(evaluation.points.amount == direct / 1000)
        #expect(evaluation.lines.map(\.position) == lines.map(\.position))
        #expect(evaluation.lines.reduce(0) { $0 + $1.points.amount } == direct / 1000)
    }

    @Test func `an excluded line earns nothing and says which exclusion it was`() throws {
        let evaluation = try self.evaluate([
            Make.line(1, sum: 5000), Make.line(2, sum: 90_000, tags: ["tobacco"]),
            Make.line(3, sum: 90_000, category: "tobacco"),
        ])
        #expect(evaluation.points == Points(5))
        let five = try #require(Points(5))
        #expect(evaluation.lines[0].reasons == [.init(code: .earned, rule: "base", points: five)])
        #expect(evaluation.lines[1].reasons == [.init(code: .excluded, rule: "tobacco")])
        #expect(evaluation.lines[2].points == .zero)
    }

    @Test func `a rule counts only the lines it names, and rules add up`() throws {
        let wine = Make.rule(
            "wine", points: 1, kopecks: 100, lines: .all([.category(["wine"]), .not(.tag(["cheap"]))]))
        let evaluation = try self.evaluate(
            [
                Make.line(1, sum: 10_000), Make.line(2, sum: 20_000, category: "wine"),
                Make.line(3, sum: 30_000, category: "wine", tags: ["cheap"]),
            ], Make.ruleset([Make.rule(), wine]))
        #expect(evaluation.accruals.map(\.points.amount) == [60, 200])
        #expect(evaluation.lines.map(\.points.amount) == [10, 220, 30])
        #expect(evaluation.lines[1].reasons.map(\.rule) == ["base", "wine"])
        #expect(evaluation.points == Points(260))
    }

    @Test(
        arguments: [
            (from: -1, to: 1, applies: true), (from: 0, to: 1, applies: true), (from: -1, to: 0, applies: false),
            (from: 1, to: 2, applies: false),
        ] as [(from: Int64, to: Int64, applies: Bool)])
    func `a window is half-open and asks for the time of the sale`(from: Int64, to: Int64, applies: Bool) throws {
        let window = Window(from: Make.noon + .seconds(from), to: Make.noon + .seconds(to))
        let evaluation = try self.evaluate(
            [Make.line()], Make.ruleset([Make.rule(window: window)]), at: Make.noon + .seconds(1_000_000))
        #expect((evaluation.points > .zero) == applies)
    }

    @Test func `a closed rule pays nothing for a receipt that arrives late`() throws {
        let ruleset = Make.ruleset([Make.rule(closesAt: Make.noon + .seconds(60))])
        #expect(try self.evaluate([Make.line()], ruleset, at: Make.noon + .seconds(59)).points == Points(10))
        #expect(try self.evaluate([Make.line()], ruleset, at: Make.noon + .seconds(60)).points == .zero)
    }

    @Test func `the rate is taken of the whole in full width`() throws {
        let ruleset = Make.ruleset([Make.rule(points: 999_983, kopecks: 1_000_003)])
        let evaluation = try self.evaluate([Make.line(sum: 1_000_000_000_000)], ruleset)
        #expect(evaluation.points == Points(999_980_000_059))
    }
}

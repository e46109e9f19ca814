import FoundationEssentials
import Kernel
import Testing

@testable import Promotions

@Suite struct RulesetTests {
    @Test func `a ruleset survives being written and read`() throws {
        let ruleset = Make.ruleset(
            [
                Make.rule(lines: .all([.not(.tag(["alcohol", "tobacco"])), .any([.category(["wine"])])])),
                Make.rule("spring", window: Window(from: Make.noon, to: Make.noon + .seconds(60)), closesAt: Make.noon),
            ], exclusions: [Make.tobacco])
        let document = try JSONEncoder().encode(ruleset)
        #expect(try JSONDecoder().decode(Ruleset.self, from: document) == ruleset)
    }

    @Test(arguments: [
        #"{"colour": ["red"]}"#, #"{}"#, #"{"tag": ["a"], "category": ["b"]}"#, #"{"not": {"colour": ["red"]}}"#,
    ])
    func `a condition that is not understood is refused, never passed over`(text: String) {
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(LineCondition.self, from: Data(text.utf8))
        }
    }

    @Test func `what cannot be meant is a defect`() {
        func defect(_ ruleset: Ruleset) -> Ruleset.Defect? {
            do throws(Ruleset.Defect) {
                try ruleset.validate()
                return nil
            } catch {
                return error
            }
        }
        #expect(defect(Make.ruleset([Make.rule()], exclusions: [Make.tobacco])) == nil)
        #expect(defect(Make.ruleset([Make.rule("a"), Make.rule("a")])) == .repeatedName("a"))
        #expect(defect(Make.ruleset([Make.rule("tobacco")], exclusions: [Make.tobacco])) == .repeatedName("tobacco"))
        let empty = Window(from: Make.noon, to: Make.noon)
        #expect(defect(Make.ruleset([Make.rule(window: empty)])) == .emptyWindow(rule: "base"))
        #expect(defect(Make.ruleset([Make.rule(points: 2, kopecks: 1)])) == .rateOutOfRange(rule: "base"))
        #expect(defect(Make.ruleset([Make.rule(points: 0)])) == .rateOutOfRange(rule: "base"))
        #expect(defect(Make.ruleset(percentOfTotal: 101)) == .spendingOutOfRange)
    }

    @Test(
        arguments: [
            (sums: [10_000], excluded: 0, limit: 990), (sums: [100], excluded: 0, limit: 9),
            (sums: [9], excluded: 0, limit: 0),
            // Excluded lines are not paid with points: what is left is less than 99 % of the total.
            (sums: [10_000], excluded: 90_000, limit: 1000), (sums: [0], excluded: 90_000, limit: 0),
        ] as [(sums: [Int64], excluded: Int64, limit: Int64)])
    func `at most 99 percent of a receipt, and nothing of excluded lines, is paid with points`(
        sums: [Int64], excluded: Int64, limit: Int64
    ) {
        var lines = sums.enumerated().map { Make.line(Int32($0.offset + 1), sum: $0.element) }
        if excluded > 0 { lines.append(Make.line(99, sum: excluded, tags: ["tobacco"])) }
        let sale = Make.sale(lines)
        let ruleset = Make.ruleset(exclusions: [Make.tobacco])
        #expect(ruleset.spendingLimit(for: sale.lines, total: sale.total) == Points(limit))
    }
}

import HummingbirdTesting
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Promotions

@Suite(.promotionsDatabase, .capturedLogs) struct RulesetLifeTests {
    private func deliver(_ document: Int64, to world: TillWorld) async throws -> ReceiptAnswer {
        try await world.client { try await $0.deliver(ReceiptJSON(fiscalDocument: document).text) }.read()
    }

    @Test func `a ruleset is drafted by one, put in force by another, and pinned on what it judged`() async throws {
        let world = try await TillWorld()
        let draft = DraftRuleset(clock: world.clock)
        let activate = ActivateRuleset(clock: world.clock, rulesets: world.parts.rulesets)
        let number = try await draft(Make.ruleset([Make.rule("double", points: 2)]), by: "Иванова", on: world.database)
        let old = try await self.deliver(1, to: world)
        #expect((old.ruleset, old.points) == (1, Points(22)))
        await #expect(throws: ActivateRuleset.Refusal.wrongState(.draft)) {
            try await activate(number, by: "Петров", on: world.database)
        }
        await #expect(throws: ActivateRuleset.Refusal.otherAuthor) {
            try await activate.submit(number, by: "Петров", on: world.database)
        }
        try await activate.submit(number, by: "Иванова", on: world.database)
        await #expect(throws: ActivateRuleset.Refusal.samePerson) {
            try await activate(number, by: "Иванова", on: world.database)
        }
        await #expect(throws: ActivateRuleset.Refusal.unknown) {
            try await activate(99, by: "Петров", on: world.database)
        }
        try await activate(number, by: "Петров", on: world.database)
        await #expect(throws: ActivateRuleset.Refusal.wrongState(.active)) {
            try await activate(number, by: "Петров", on: world.database)
        }
        let new = try await self.deliver(2, to: world)
        #expect((new.ruleset, new.points) == (number, Points(44)))
        // The one before keeps its own.
        #expect(try await self.deliver(1, to: world) == old)
        let states = try await world.owner.query("select state from promotions.ruleset order by version")
            .map { try $0.decode(String.self) }
        #expect(states == ["retired", "active"])
    }

    @Test func `the database keeps a document from changing and a person from approving his own`() async throws {
        let world = try await TillWorld()
        let number = try await DraftRuleset(clock: world.clock)(
            Make.ruleset(), by: "Иванова", on: world.database)
        await #expect(throws: DatabaseError.self) {
            try await world.database.execute("update promotions.ruleset set document = '{}'")
        }
        await #expect(throws: DatabaseError.self) {
            try await world.owner.execute(
                """
                update promotions.ruleset
                set state = 'retired', activated_by = drafted_by, activated_at = now()
                where version = \(number)
                """)
        }
        await #expect(throws: DatabaseError.self) {
            try await world.owner.execute(
                """
                update promotions.ruleset
                set state = 'active', activated_by = 'Петров', activated_at = now()
                where version = \(number)
                """)
        }
    }

    @Test func `a ruleset that cannot be meant is not stored`() async throws {
        let world = try await TillWorld()
        let draft = DraftRuleset(clock: world.clock)
        await #expect(throws: Ruleset.Defect.rateOutOfRange(rule: "base")) {
            _ = try await draft(Make.ruleset([Make.rule(points: 0)]), by: "Иванова", on: world.database)
        }
        #expect(try await world.owner.query("select from promotions.ruleset").count == 1)
    }

    private static let known = """
        {"exclusions": [], "spending": {"percentOfTotal": 99, "kopecksPerPoint": 10}, "rules": [
        {"id": "a", "lotClass": "regular", "effect": {"earnRate": {"points": 1, "kopecks": 1000}}}]}
        """

    @Test(arguments: [
        (#""exclusions""#, #""jackpot": 1, "exclusions""#), (#""id": "a""#, #""id": "a", "when": {}"#),
        ("earnRate", "lottery"), (#""id": "a""#, #""id": "a", "lines": {"tag": ["wine"], "colour": ["red"]}"#),
    ])
    func `a ruleset of a newer program is refused, not half understood`(old: String, new: String) throws {
        #expect(try Rulesets.read(Array(Self.known.utf8), of: 5).rules.map(\.id) == ["a"])
        #expect(throws: UnreadableRuleset(number: 5)) {
            _ = try Rulesets.read(Array(Self.known.replacing(old, with: new).utf8), of: 5)
        }
    }
}

// Each step in a transaction of its own, as the routes take it.
extension DraftRuleset {
    fileprivate func callAsFunction(
        _ ruleset: Ruleset, by author: String, on database: Database
    ) async throws -> Int64 {
        try await database.transaction { try await self(ruleset, by: author, in: $0) }
    }
}

extension ActivateRuleset {
    fileprivate func callAsFunction(_ number: Int64, by approver: String, on database: Database) async throws {
        try await database.transaction { try await self(number, by: approver, in: $0) }
    }

    fileprivate func submit(_ number: Int64, by author: String, on database: Database) async throws {
        try await database.transaction { try await self.submit(number, by: author, in: $0) }
    }
}

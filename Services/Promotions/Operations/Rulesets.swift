import Kernel
import NIOConcurrencyHelpers
import Postgres

/// Rulesets by number. A ruleset never changes after it was drafted, so one that was read once stays in memory.
final class Rulesets: Sendable {
    /// The one in force and a few before it.
    private static let countMax = 16

    private let database: Database
    private let store = RulesetStore()
    private let read = NIOLockedValueBox<[Int64: Ruleset.Version]>([:])

    init(database: Database) {
        self.database = database
    }

    func version(_ number: Int64) async throws -> Ruleset.Version {
        if let version = self.read.withLockedValue({ $0[number] }) { return version }
        guard let ruleset = try await self.store.ruleset(number, in: self.database) else {
            throw NoRulesetInForce()
        }
        let version = Ruleset.Version(number: number, ruleset: ruleset)
        self.read.withLockedValue { read in
            if read.count >= Self.countMax, let oldest = read.keys.min() { read[oldest] = nil }
            read[number] = version
        }
        return version
    }

    /// The one in force at this moment.
    func active() async throws -> Ruleset.Version {
        guard let number = try await self.store.activeNumber(in: self.database) else { throw NoRulesetInForce() }
        return try await self.version(number)
    }
}

/// No ruleset is in force: the schema's first one was taken away by hand.
struct NoRulesetInForce: Error {}

import Kernel
import NIOConcurrencyHelpers
import Postgres
import Web

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
        try await self.version(number, in: self.database)
    }

    /// - Parameter runner: whoever has a transaction open reads in it, and takes no second connection.
    func version(
        _ number: Int64, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> Ruleset.Version {
        if let version = self.read.withLockedValue({ $0[number] }) { return version }
        guard let document = try await self.store.document(number, in: runner) else { throw NoRulesetInForce() }
        let version = Ruleset.Version(number: number, ruleset: try Self.read(document, of: number))
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

extension Rulesets {
    /// Reads a ruleset strictly: one that a newer program wrote, with a condition that this one does not know, must not
    /// be applied as if the condition were not there.
    static func read(_ document: [UInt8], of number: Int64) throws(UnreadableRuleset) -> Ruleset {
        do {
            return try StrictJSON.decode(Ruleset.self, bytes: document)
        } catch {
            throw UnreadableRuleset(number: number)
        }
    }
}

/// A stored ruleset says something that this program does not understand.
struct UnreadableRuleset: Error, Hashable {
    let number: Int64
}

/// No ruleset is in force: the schema's first one was taken away by hand.
struct NoRulesetInForce: Error {}

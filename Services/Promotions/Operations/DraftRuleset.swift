import Kernel
import Postgres

/// Stores a ruleset as a draft.
struct DraftRuleset: Sendable {
    private let database: Database
    private let clock: any WallClock
    private let store = RulesetStore()

    init(database: Database, clock: any WallClock) {
        (self.database, self.clock) = (database, clock)
    }

    /// The number of the draft.
    ///
    /// - Throws: `Ruleset.Defect` for one that cannot be meant.
    func callAsFunction(_ ruleset: Ruleset, by author: String) async throws -> Int64 {
        try ruleset.validate()
        return try await self.database.transaction { transaction in
            try await self.store.insert(ruleset, by: author, at: self.clock.now, in: transaction)
        }
    }
}

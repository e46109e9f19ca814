import Kernel
import Postgres

/// Stores a ruleset as a draft.
struct DraftRuleset: Sendable {
    private let clock: any WallClock
    private let store = RulesetStore()

    init(clock: any WallClock) { self.clock = clock }

    /// The number of the draft.
    ///
    /// - Throws: `Ruleset.Defect` for one that cannot be meant.
    func callAsFunction(
        _ ruleset: Ruleset, by author: String, in transaction: borrowing Transaction
    ) async throws -> Int64 {
        try ruleset.validate()
        return try await self.store.insert(ruleset, by: author, at: self.clock.now, in: transaction)
    }
}

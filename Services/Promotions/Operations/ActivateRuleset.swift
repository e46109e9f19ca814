import Kernel
import Postgres

/// Puts a drafted ruleset in force. From its commit on receipts are judged by it; those accepted before keep theirs.
struct ActivateRuleset: Sendable {
    enum Refusal: Error, Hashable {
        case unknown
        /// In force or retired already.
        case notADraft
        /// Nobody puts his own draft in force.
        case sameAuthor
    }

    private let database: Database
    private let clock: any WallClock
    private let store = RulesetStore()

    init(database: Database, clock: any WallClock) {
        (self.database, self.clock) = (database, clock)
    }

    /// - Throws: `Refusal`.
    func callAsFunction(_ number: Int64, by approver: String) async throws {
        try await self.database.transaction { transaction in
            guard let draft = try await self.store.lockDraft(number, in: transaction) else { throw Refusal.unknown }
            guard draft.isDraft else { throw Refusal.notADraft }
            guard draft.author != approver else { throw Refusal.sameAuthor }
            try await self.store.activate(number, by: approver, at: self.clock.now, in: transaction)
        }
    }
}

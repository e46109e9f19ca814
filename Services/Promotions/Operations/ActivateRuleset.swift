import Kernel
import Postgres

/// Takes a ruleset from its draft to its end: submitted by its author, then put in force or rejected by somebody else.
/// From the commit of its activation on receipts are judged by it; those accepted before keep theirs.
struct ActivateRuleset: Sendable {
    enum Refusal: Error, Hashable {
        case unknown
        /// The step does not begin where the ruleset is.
        case wrongState(RulesetState)
        /// Nobody decides about his own draft, and nobody submits somebody else's.
        case samePerson
        case otherAuthor
        /// A budget would become smaller.
        case budgetLowered
    }

    private let database: Database
    private let clock: any WallClock
    private let rulesets: Rulesets
    private let store = RulesetStore()
    private let budgets = BudgetStore()

    init(database: Database, clock: any WallClock, rulesets: Rulesets) {
        (self.database, self.clock, self.rulesets) = (database, clock, rulesets)
    }

    /// Hands a draft over for review.
    ///
    /// - Throws: `Refusal`.
    func submit(_ number: Int64, by author: String) async throws {
        try await self.database.transaction { transaction in
            guard let found = try await self.store.lock(number, in: transaction) else { throw Refusal.unknown }
            guard found.author == author else { throw Refusal.otherAuthor }
            guard found.state == .draft else { throw Refusal.wrongState(found.state) }
            try await self.store.submit(number, at: self.clock.now, in: transaction)
        }
    }

    /// Puts a ruleset in force.
    ///
    /// - Throws: `Refusal`.
    func callAsFunction(_ number: Int64, by approver: String) async throws {
        let version = try await self.known(number)
        try await self.database.transaction { transaction in
            try await self.lockForDecision(number, by: approver, in: transaction)
            guard try await self.budgets.grant(version.ruleset.budgets ?? [], in: transaction) else {
                throw Refusal.budgetLowered
            }
            try await self.store.activate(number, by: approver, at: self.clock.now, in: transaction)
        }
    }

    /// Sends a ruleset back for good.
    ///
    /// - Throws: `Refusal`.
    func reject(_ number: Int64, by rejecter: String, because note: String) async throws {
        try await self.database.transaction { transaction in
            try await self.lockForDecision(number, by: rejecter, in: transaction)
            try await self.store.reject(number, by: rejecter, because: note, in: transaction)
        }
    }

    private func known(_ number: Int64) async throws -> Ruleset.Version {
        guard try await self.store.find(number, in: self.database) != nil else { throw Refusal.unknown }
        return try await self.rulesets.version(number)
    }

    private func lockForDecision(
        _ number: Int64, by person: String, in transaction: borrowing Transaction
    ) async throws {
        guard let found = try await self.store.lock(number, in: transaction) else { throw Refusal.unknown }
        guard found.state == .review else { throw Refusal.wrongState(found.state) }
        guard found.author != person else { throw Refusal.samePerson }
    }
}

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

    private let clock: any WallClock
    private let rulesets: Rulesets
    private let store = RulesetStore()
    private let budgets = BudgetStore()

    init(clock: any WallClock, rulesets: Rulesets) {
        (self.clock, self.rulesets) = (clock, rulesets)
    }

    /// Hands a draft over for review.
    ///
    /// - Throws: `Refusal`.
    func submit(_ number: Int64, by author: String, in transaction: borrowing Transaction) async throws {
        guard let found = try await self.store.lock(number, in: transaction) else { throw Refusal.unknown }
        guard found.author == author else { throw Refusal.otherAuthor }
        guard found.state == .draft else { throw Refusal.wrongState(found.state) }
        try await self.store.submit(number, at: self.clock.now, in: transaction)
    }

    /// Puts a ruleset in force.
    ///
    /// - Throws: `Refusal`.
    func callAsFunction(_ number: Int64, by approver: String, in transaction: borrowing Transaction) async throws {
        try await self.lockForDecision(number, by: approver, in: transaction)
        let version = try await self.rulesets.version(number, in: transaction)
        guard try await self.budgets.grant(version.ruleset.budgets ?? [], in: transaction) else {
            throw Refusal.budgetLowered
        }
        try await self.store.activate(number, by: approver, at: self.clock.now, in: transaction)
    }

    /// Sends a ruleset back for good.
    ///
    /// - Throws: `Refusal`.
    func reject(
        _ number: Int64, by rejecter: String, because note: String, in transaction: borrowing Transaction
    ) async throws {
        try await self.lockForDecision(number, by: rejecter, in: transaction)
        try await self.store.reject(number, by: rejecter, because: note, in: transaction)
    }

    private func lockForDecision(
        _ number: Int64, by person: String, in transaction: borrowing Transaction
    ) async throws {
        guard let found = try await self.store.lock(number, in: transaction) else { throw Refusal.unknown }
        guard found.state == .review else { throw Refusal.wrongState(found.state) }
        guard found.author != person else { throw Refusal.samePerson }
    }
}

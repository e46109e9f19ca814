import Kernel
import Postgres

/// Rulesets: drafted, then put in force by a second person, never changed.
struct RulesetStore: Sendable {
    /// The number of the ruleset in force; nil before one is.
    func activeNumber(in runner: borrowing some QueryRunner & ~Copyable) async throws -> Int64? {
        try await runner.first("select version from promotions.ruleset where state = 'active'")?.decode(Int64.self)
    }

    /// The JSON of a ruleset.
    func document(_ number: Int64, in runner: borrowing some QueryRunner & ~Copyable) async throws -> [UInt8]? {
        try await runner.first("select document::text from promotions.ruleset where version = \(number)")
            .map { Array(try $0.decode(String.self).utf8) }
    }

    /// Stores a draft and gives its number.
    func insert(
        _ ruleset: Ruleset, by author: String, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> Int64 {
        try await transaction.one(
            """
            insert into promotions.ruleset (document, drafted_by, drafted_at)
            values (\(JSONB(ruleset)), \(author), \(now))
            returning version
            """
        ).decode(Int64.self)
    }

    /// Who drafted a version, and whether it is still a draft; the row stays locked.
    func lockDraft(
        _ number: Int64, in transaction: borrowing Transaction
    ) async throws -> (author: String, isDraft: Bool)? {
        try await transaction.first(
            """
            select drafted_by, state = 'draft'
            from promotions.ruleset
            where version = \(number)
            for update
            """
        )?.decode(String.self, Bool.self)
    }

    /// Puts a draft in force and the version before it out of force.
    func activate(
        _ number: Int64, by approver: String, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute("update promotions.ruleset set state = 'retired' where state = 'active'")
        try await transaction.execute(
            """
            update promotions.ruleset
            set state = 'active', activated_by = \(approver), activated_at = \(now)
            where version = \(number)
            """)
    }
}

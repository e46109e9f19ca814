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

    /// Who drafted a version, and how far it is; the row stays locked.
    func lock(
        _ number: Int64, in transaction: borrowing Transaction
    ) async throws -> (author: String, state: RulesetState)? {
        try await transaction.first(
            """
            select drafted_by, state
            from promotions.ruleset
            where version = \(number)
            for update
            """
        )?.decode(String.self, RulesetState.self)
    }

    /// The last versions, the newest first, before `number`.
    func page(
        before number: Int64?, limit: Int, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [RulesetRecord] {
        try await runner.query(
            """
            select version, state, drafted_by, drafted_at, activated_by, activated_at, rejected_by, note
            from promotions.ruleset
            where \(number)::bigint is null or version < \(number)
            order by version desc
            limit \(Int64(limit))
            """, as: RulesetRecord.self)
    }

    func find(_ number: Int64, in runner: borrowing some QueryRunner & ~Copyable) async throws -> RulesetRecord? {
        try await runner.first(
            """
            select version, state, drafted_by, drafted_at, activated_by, activated_at, rejected_by, note
            from promotions.ruleset
            where version = \(number)
            """, as: RulesetRecord.self)
    }

    /// Hands a draft over to whoever decides.
    func submit(_ number: Int64, at now: Timestamp, in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            "update promotions.ruleset set state = 'review', submitted_at = \(now) where version = \(number)")
    }

    func reject(
        _ number: Int64, by rejecter: String, because note: String, in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            update promotions.ruleset
            set state = 'rejected', rejected_by = \(rejecter), note = \(note)
            where version = \(number)
            """)
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

extension RulesetState: PostgresWrapper {}

extension RulesetRecord: RowDecodable {
    init(row: Row) throws {
        self.init(
            number: try row.value("version"), state: try row.value("state"), author: try row.value("drafted_by"),
            draftedAt: try row.value("drafted_at"), approver: try row.value("activated_by"),
            activatedAt: try row.value("activated_at"), rejecter: try row.value("rejected_by"),
            note: try row.value("note"))
    }
}

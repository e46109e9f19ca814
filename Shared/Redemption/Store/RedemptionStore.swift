internal import Contracts
public import Kernel
public import Postgres

/// The tables `redemption` and `redemption_step` of a service's schema; see this folder's README.
public struct RedemptionStore: Sendable {
    private let schema: ServiceName

    /// - Parameter schema: whose tables.
    public init(schema: ServiceName) { self.schema = schema }

    /// Columns as ``RedemptionRecord`` reads them.
    private static let columns: SQL = """
        redemption_id, member_id, purpose, points, worth, match, target, pause, quoted_until, created_at, undo_id, state,
        step, tries, state_since, due_at, step_up_id, reason, reference, captured_by
        """

    /// Writes a new redemption and its first step; false when there is one of that id already.
    func insert(_ new: RedemptionRecord, in transaction: borrowing Transaction) async throws -> Bool {
        try await transaction.execute(
            """
            with made as (
                insert into \(identifier: self.schema.schema, "redemption") (
                    member_id, redemption_id, purpose, points, worth, match, target, pause, quoted_until, created_at,
                    undo_id, state, step, tries, state_since, due_at
                )
                values (
                    \(new.member), \(new.id), \(new.purpose.rawValue), \(new.points), \(new.worth), \(new.match),
                    \(new.target), \(new.pause), \(new.quotedUntil), \(new.createdAt), \(new.undo), \(new.state),
                    \(new.step), \(new.tries), \(new.since), \(new.dueAt)
                )
                on conflict do nothing
                returning member_id, redemption_id, step, state, reason, state_since
            )
            insert into \(identifier: self.schema.schema, "redemption_step")
                (member_id, redemption_id, step, state, reason, at)
            select member_id, redemption_id, step, state, reason, state_since
            from made
            """) == 1
    }

    /// One of this member's; nil when there is none.
    public func find(
        _ id: RedemptionRecord.ID, of member: Member.ID, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> RedemptionRecord? {
        try await runner.first(
            """
            select \(fragment: Self.columns)
            from \(identifier: self.schema.schema, "redemption")
            where member_id = \(member) and redemption_id = \(id)
            """, as: RedemptionRecord.self)
    }

    /// The same with the lock that every step needs.
    func lock(
        _ id: RedemptionRecord.ID, of member: Member.ID, in transaction: borrowing Transaction
    ) async throws -> RedemptionRecord? {
        try await transaction.first(
            """
            select \(fragment: Self.columns)
            from \(identifier: self.schema.schema, "redemption")
            where member_id = \(member) and redemption_id = \(id)
            for no key update
            """, as: RedemptionRecord.self)
    }

    /// Writes what has changed of a locked redemption, and a step when it has come to another state.
    func write(_ record: RedemptionRecord, in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            """
            with written as (
                update \(identifier: self.schema.schema, "redemption")
                set state = \(record.state), step = \(record.step), tries = \(record.tries),
                    state_since = \(record.since), due_at = \(record.dueAt), step_up_id = \(record.stepUp),
                    reason = \(record.reason), reference = \(record.reference), captured_by = \(record.capturedBy)
                where member_id = \(record.member) and redemption_id = \(record.id)
                returning member_id, redemption_id, step, state, reason, state_since
            )
            insert into \(identifier: self.schema.schema, "redemption_step")
                (member_id, redemption_id, step, state, reason, at)
            select member_id, redemption_id, step, state, reason, state_since
            from written
            on conflict do nothing
            """)
    }

    /// The member's redemptions, the latest first.
    /// - Parameter before: those older than this one; nil from the latest on.
    public func list(
        of member: Member.ID, before: RedemptionRecord.ID?, limit: Int,
        in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [RedemptionRecord] {
        try await runner.query(
            """
            select \(fragment: Self.columns)
            from \(identifier: self.schema.schema, "redemption")
            where member_id = \(member) and (\(before)::uuid is null or redemption_id < \(before))
            order by redemption_id desc
            limit \(limit)
            """, as: RedemptionRecord.self)
    }

    /// All steps, the first one first.
    public func steps(
        of id: RedemptionRecord.ID, member: Member.ID, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [RedemptionStep] {
        try await runner.query(
            """
            select step, state, reason, at
            from \(identifier: self.schema.schema, "redemption_step")
            where member_id = \(member) and redemption_id = \(id)
            order by step
            """, as: RedemptionStep.self)
    }

    /// What is under way and stands still for the longest time; what waits for a person comes first.
    /// - Parameter since: only what has stood where it is since before this moment; what waits for a person always.
    public func stuck(
        since: Timestamp, limit: Int, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [RedemptionRecord] {
        let states = RedemptionState.allCases.filter(\.isUnderWay)
        return try await runner.query(
            """
            select \(fragment: Self.columns)
            from \(identifier: self.schema.schema, "redemption")
            where state not in ('settled', 'reversed', 'expired') and state = any (\(states))
                and (state = 'manual' or state_since < \(since))
            order by state = 'manual' desc, state_since
            limit \(limit)
            """, as: RedemptionRecord.self)
    }

    /// How many stand where, and since when the oldest of them does: the board of the console.
    public func board(in runner: borrowing some QueryRunner & ~Copyable) async throws -> [RedemptionCount] {
        try await runner.query(
            """
            select state, count(*) as count, min(state_since) as oldest
            from \(identifier: self.schema.schema, "redemption")
            where state not in ('settled', 'reversed', 'expired')
            group by state
            order by min(state_since)
            """, as: RedemptionCount.self)
    }

    /// What should have been done by now, the most overdue first.
    func due(
        before moment: Timestamp, limit: Int, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [RedemptionRecord] {
        try await runner.query(
            """
            select \(fragment: Self.columns)
            from \(identifier: self.schema.schema, "redemption")
            where due_at < \(moment)
            order by due_at
            limit \(limit)
            """, as: RedemptionRecord.self)
    }
}

/// How many redemptions stand at one place.
public struct RedemptionCount: Hashable, Sendable {
    public let state: RedemptionState
    public let count: Int64
    /// Since when the oldest of them stands there.
    public let oldest: Timestamp
}

extension RedemptionRecord: RowDecodable {
    public init(row: Row) throws {
        self.init(
            id: try row.value("redemption_id"), member: try row.value("member_id"),
            purpose: HoldPurpose(rawValue: try row.value("purpose")), points: try row.value("points"),
            worth: try row.value("worth"), match: try row.value("match"), target: try row.value("target"),
            pause: try row.value("pause"), quotedUntil: try row.value("quoted_until"),
            createdAt: try row.value("created_at"), undo: try row.value("undo_id"), state: try row.value("state"),
            step: try row.value("step"), tries: try row.value("tries"), since: try row.value("state_since"),
            dueAt: try row.value("due_at"), stepUp: try row.value("step_up_id"), reason: try row.value("reason"),
            reference: try row.value("reference"), capturedBy: try row.value("captured_by"))
    }
}

extension RedemptionStep: RowDecodable {
    public init(row: Row) throws {
        self.init(
            number: try row.value("step"), state: try row.value("state"), reason: try row.value("reason"),
            at: try row.value("at"))
    }
}

extension RedemptionCount: RowDecodable {
    public init(row: Row) throws {
        self.init(
            state: try row.value("state"), count: try row.value("count"), oldest: try row.value("oldest"))
    }
}

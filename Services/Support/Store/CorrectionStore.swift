import Kernel
import Postgres

/// Corrections of points.
struct CorrectionStore: Sendable {
    private static let columns: SQL = """
        correction_id, ticket_id, member_id, points, reason, state, maker, checker, approves, decision_id, refusal,
        created_at
        """

    /// - Returns: false when the ticket has one that is not decided yet.
    func insert(_ correction: Correction, in transaction: borrowing Transaction) async throws -> Bool {
        try await transaction.execute(
            """
            insert into support.correction (
                correction_id, ticket_id, member_id, points, reason, state, maker, created_at, changed_at
            )
            values (
                \(correction.id), \(correction.ticket), \(correction.member), \(correction.points),
                \(correction.reason), \(correction.state.rawValue), \(correction.maker), \(correction.createdAt),
                \(correction.createdAt)
            )
            on conflict do nothing
            """) == 1
    }

    func lock(_ id: Correction.ID, in transaction: borrowing Transaction) async throws -> Correction? {
        try await transaction.first(
            "select \(fragment: Self.columns) from support.correction where correction_id = \(id) for update",
            as: Correction.self)
    }

    /// The ticket's own one that is not decided yet, locked.
    func lockOpen(of ticket: Ticket.ID, in transaction: borrowing Transaction) async throws -> Correction? {
        try await transaction.first(
            """
            select \(fragment: Self.columns)
            from support.correction
            where ticket_id = \(ticket) and state in ('draft', 'requesting', 'requested', 'deciding')
            for update
            """, as: Correction.self)
    }

    func update(_ correction: Correction, at now: Timestamp, in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            """
            update support.correction
            set points = \(correction.points), reason = \(correction.reason), state = \(correction.state.rawValue),
                maker = \(correction.maker), checker = \(correction.checker), approves = \(correction.approves),
                decision_id = \(correction.decision), refusal = \(correction.refusal), changed_at = \(now)
            where correction_id = \(correction.id)
            """)
    }

    /// Those of a ticket, in order.
    func all(
        of ticket: Ticket.ID, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [Correction] {
        try await runner.query(
            """
            select \(fragment: Self.columns) from support.correction where ticket_id = \(ticket)
            order by created_at, correction_id
            """)
    }

    /// Those that stand there, the oldest first.
    func page(
        in state: Correction.State, after last: Correction.ID?, limit: Int,
        in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [Correction] {
        try await runner.query(
            """
            select \(fragment: Self.columns)
            from support.correction
            where state = \(state.rawValue) and (\(last)::uuid is null or correction_id > \(last))
            order by correction_id
            limit \(Int64(limit))
            """)
    }
}

extension Correction: RowDecodable {
    init(row: Row) throws {
        self.init(
            id: try row.value("correction_id"), ticket: try row.value("ticket_id"),
            member: try row.value("member_id"), points: try row.value("points"), reason: try row.value("reason"),
            state: try row.value("state"), maker: try row.value("maker"), checker: try row.value("checker"),
            approves: try row.value("approves"), decision: try row.value("decision_id"),
            refusal: try row.value("refusal"), createdAt: try row.value("created_at"))
    }
}

extension Correction.State: PostgresWrapper {}

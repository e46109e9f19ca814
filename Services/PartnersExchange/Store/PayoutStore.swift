import Kernel
import Postgres

/// Money for partners: drafted by one person, approved by another.
struct PayoutStore: Sendable {
    func insert(_ payout: Payout, at now: Timestamp, in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            """
            insert into partners_exchange.payout (payout_id, partner, until, drafted_by, drafted_at)
            values (\(payout.id), \(payout.partner), \(payout.until), \(payout.draftedBy), \(now))
            """)
    }

    func find(_ id: Payout.ID, in runner: borrowing some QueryRunner & ~Copyable) async throws -> Payout? {
        try await runner.first(
            """
            select payout_id, partner, until, drafted_by, approved_by, points, kopecks, refusal
            from partners_exchange.payout
            where payout_id = \(id)
            """, as: Payout.self)
    }

    /// Notes who approves it, before the ledger is asked; false when somebody else has.
    func approve(
        _ id: Payout.ID, by staff: Staff.ID, at now: Timestamp, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> Bool {
        try await runner.execute(
            """
            update partners_exchange.payout
            set approved_by = coalesce(approved_by, \(staff)), approved_at = coalesce(approved_at, \(now))
            where payout_id = \(id) and coalesce(approved_by, \(staff)) = \(staff)
            """) == 1
    }

    /// Notes what the ledger answered.
    func answer(_ payout: Payout, in runner: borrowing some QueryRunner & ~Copyable) async throws {
        try await runner.execute(
            """
            update partners_exchange.payout
            set points = \(payout.points), kopecks = \(payout.kopecks), refusal = \(payout.refusal)
            where payout_id = \(payout.id)
            """)
    }
}

extension Payout: RowDecodable {
    init(row: Row) throws {
        self.init(
            id: try row.value("payout_id"), partner: try row.value("partner"), until: try row.value("until"),
            draftedBy: try row.value("drafted_by"), approvedBy: try row.value("approved_by"),
            points: try row.value("points"), kopecks: try row.value("kopecks"), refusal: try row.value("refusal"))
    }
}

import Kernel
import Postgres

/// What colleagues want changed about partners, and what they have changed.
struct ChangeStore: Sendable {
    private static let columns: SQL = """
        change_id, kind, partner, offer, wanted, before, reason, state, made_by, made_at, decided_by, decided_at, comment
        """

    /// False while another one about the same offer, or the same partner's address, waits.
    func insert(_ new: PartnerChange, in transaction: borrowing Transaction) async throws -> Bool {
        try await transaction.execute(
            """
            insert into partners_exchange.change (
                change_id, kind, partner, offer, wanted, before, reason, state, made_by, made_at
            )
            values (
                \(new.id), \(new.kind), \(new.partner), \(new.offer), \(JSONB(new.wanted)), \(new.before.map(JSONB.init)),
                \(new.reason), \(new.state), \(new.madeBy), \(new.madeAt)
            )
            on conflict do nothing
            """) == 1
    }

    /// With the lock that keeps two colleagues from deciding at once.
    func lock(_ id: PartnerChange.ID, in transaction: borrowing Transaction) async throws -> PartnerChange? {
        try await transaction.first(
            """
            select \(fragment: Self.columns)
            from partners_exchange.change
            where change_id = \(id)
            for no key update
            """, as: PartnerChange.self)
    }

    /// Writes what was decided.
    func decide(_ change: PartnerChange, in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            """
            update partners_exchange.change
            set state = \(change.state), before = \(change.before.map(JSONB.init)), decided_by = \(change.decidedBy),
                decided_at = \(change.decidedAt), comment = \(change.comment)
            where change_id = \(change.id)
            """)
    }

    /// The latest first.
    /// - Parameters:
    ///   - state: nil for all.
    ///   - partner: nil for all.
    func list(
        _ state: PartnerChange.State?, of partner: String?, before: PartnerChange.ID?, limit: Int,
        in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [PartnerChange] {
        try await runner.query(
            """
            select \(fragment: Self.columns)
            from partners_exchange.change
            where (\(state)::text is null or state = \(state)) and (\(partner)::text is null or partner = \(partner))
                and (\(before)::uuid is null or change_id < \(before))
            order by change_id desc
            limit \(limit)
            """, as: PartnerChange.self)
    }
}

extension PartnerChange: RowDecodable {
    init(row: Row) throws {
        self.init(
            id: try row.value("change_id"), kind: try row.value("kind"), partner: try row.value("partner"),
            offer: try row.value("offer"), wanted: try row.value("wanted", as: JSONB<Wanted>.self).value,
            before: try row.value("before", as: JSONB<OfferTerms>?.self)?.value, reason: try row.value("reason"),
            state: try row.value("state"), madeBy: try row.value("made_by"), madeAt: try row.value("made_at"),
            decidedBy: try row.value("decided_by"), decidedAt: try row.value("decided_at"),
            comment: try row.value("comment"))
    }
}

internal import Contracts
internal import Kernel
internal import Postgres

/// Reads a member's transactions as the member sees them.
struct FeedStore: Sendable {
    /// The newest lines that fit the query.
    func lines<Runner: QueryRunner & ~Copyable>(
        of member: Member.ID, _ query: FeedQuery, on runner: borrowing Runner
    ) async throws -> [FeedLine] {
        let kinds = query.chosenKinds?.map(\.rawValue)
        let either = TransactionKind.undirected.map(\.rawValue)
        return try await runner.query(
            Self.lines(
                of: member,
                """
                where t.member_id = \(member)
                    and t.id < coalesce(\(query.before), 'ffffffff-ffff-ffff-ffff-ffffffffffff')
                    and (\(kinds)::text[] is null or t.kind::text = any (\(kinds)))
                    and (\(query.direction == nil) or t.kind::text <> all (\(either))
                        or \(query.direction == .incoming) = (
                            select coalesce(sum(p.amount * ((p.credit = 1)::int - (p.debit = 1)::int)), 0) >= 0
                            from ledger.posting as p
                            where p.transaction_id = t.id and p.member_id = t.member_id))
                    and (\(query.subject)::uuid is null or t.subject = \(query.subject))
                    and (\(query.recorded?.lowerBound)::timestamptz is null
                        or (t.recorded_at >= \(query.recorded?.lowerBound)
                            and t.recorded_at < \(query.recorded?.upperBound)))
                    and (\(query.from)::timestamptz is null or t.effective_at >= \(query.from))
                    and (\(query.to)::timestamptz is null or t.effective_at < \(query.to))
                order by t.id desc
                limit \(Int64(query.limit))
                """))
    }

    /// One transaction; nil when there is none such of this member.
    func line<Runner: QueryRunner & ~Copyable>(
        _ id: LedgerTransaction.ID, of member: Member.ID, on runner: borrowing Runner
    ) async throws -> FeedLine? {
        try await runner.first(
            Self.lines(of: member, "where t.id = \(id) and t.member_id = \(member)"), as: FeedLine.self)
    }

    /// The lines that `selection` picks from the transactions `t`. Lots are read once per member, not once per posting.
    private static func lines(of member: Member.ID, _ selection: SQL) -> SQL {
        """
        with chosen as materialized (
            select t.id, t.version, t.kind, t.effective_at, t.recorded_at, t.available_after, t.subject
            from ledger.transaction as t
            \(fragment: selection)
        ),
        lot as materialized (
            select number, lot_class, expires_at from ledger.lot where member_id = \(member)
        )
        select c.id, c.version, c.kind::text as kind, c.effective_at, c.recorded_at, c.available_after,
            r.receipt_id, r.store, r.total, h.hold_id, h.purpose,
            m.debits, m.credits, m.amounts, m.rules, m.lots, m.classes, m.expiries
        from chosen as c
        left join ledger.receipt as r on c.kind = 'earn' and r.receipt_id = c.subject
        left join ledger.hold as h
            on c.kind in ('hold', 'capture', 'void') and h.member_id = \(member) and h.hold_id = c.subject
        cross join lateral (
            select array_agg(d.code order by p.line) as debits, array_agg(k.code order by p.line) as credits,
                array_agg(p.amount order by p.line) as amounts, array_agg(p.rule order by p.line) as rules,
                array_agg(p.lot order by p.line) as lots, array_agg(l.lot_class order by p.line) as classes,
                array_agg(l.expires_at order by p.line) as expiries
            from ledger.posting as p
            join ledger.account as d on d.id = p.debit
            join ledger.account as k on k.id = p.credit
            left join lot as l on l.number = p.lot
            where p.transaction_id = c.id and p.member_id = \(member)
        ) as m
        order by c.id desc
        """
    }
}

extension TransactionKind: PostgresWrapper {}

extension FeedLine: RowDecodable {
    init(row: Row) throws {
        let kind: TransactionKind = try row.value("kind")
        let movements = try FeedMovement.all(of: row)
        self.init(
            id: try row.value("id"), version: try row.value("version"), kind: kind,
            effectiveAt: try row.value("effective_at"), recordedAt: try row.value("recorded_at"),
            points: kind.subject(of: movements), change: movements.reduce(0) { $0 + $1.change },
            availableAfter: try row.value("available_after"),
            receipt: try row.value("receipt_id", as: Receipt.ID?.self).map { id in
                FeedReceipt(id: id, store: try row.value("store"), total: try row.value("total"))
            },
            hold: try row.value("hold_id", as: Hold.ID?.self).map { id in
                FeedHold(id: id, purpose: try row.value("purpose"))
            },
            movements: movements)
    }
}

extension FeedMovement {
    fileprivate static func all(of row: Row) throws -> [FeedMovement] {
        // A receipt that has earned nothing has no postings: the arrays are null.
        guard let debits = try row.value("debits", as: [String]?.self) else { return [] }
        let credits: [String] = try row.value("credits")
        let amounts: [Points] = try row.value("amounts")
        let rules: [String?] = try row.value("rules")
        let lots: [Int32?] = try row.value("lots")
        let classes: [String?] = try row.value("classes")
        let expiries: [Timestamp?] = try row.value("expiries")
        return debits.indices.map { line in
            var lot: FeedLot?
            if let number = lots[line], let lotClass = classes[line], let expiresAt = expiries[line] {
                lot = FeedLot(number: Int(number), lotClass: lotClass, expiresAt: expiresAt)
            }
            return FeedMovement(
                from: debits[line], to: credits[line], points: amounts[line], rule: rules[line], lot: lot)
        }
    }
}

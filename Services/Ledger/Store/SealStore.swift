internal import Kernel
internal import Postgres

/// Reads what is to be sealed, and keeps the blocks.
struct SealStore: Sendable {
    /// Transactions that are final and in no block yet.
    struct Stretch: Sendable {
        /// The last block; nil when there is none.
        let last: (number: Int64, hash: HexBytes)?
        /// Which database transaction ids.
        let range: Range<Int64>
    }

    /// Takes the right to seal until the end of the transaction; false when somebody else has it.
    func take(in transaction: borrowing Transaction) async throws -> Bool {
        // Over many partitions compiling a statement takes longer than running it.
        try await transaction.execute("set local jit = off")
        return try await transaction.one("select pg_try_advisory_xact_lock(hashtext('ledger.seal'))").decode(Bool.self)
    }

    /// The next stretch, about `limit` transactions or a few more, since those of one database transaction stay
    /// together; nil when there is nothing to seal.
    ///
    /// The horizon is the oldest database transaction that still runs: everything below it is final, and whoever comes
    /// later is at or above it. So nothing is sealed too early, and nothing can appear behind a block.
    func next(limit: Int, in transaction: borrowing Transaction) async throws -> Stretch? {
        let row = try await transaction.one(
            """
            with last as (
                select number, hash, xid_to from ledger.seal_block order by number desc limit 1
            ),
            range as (
                select coalesce((select xid_to from last), '0'::xid8) as begins,
                    pg_snapshot_xmin(pg_current_snapshot()) as horizon
            )
            select (select number from last) as number, (select hash from last) as hash,
                r.begins::text::bigint as begins, r.horizon::text::bigint as horizon,
                first.xid::text::bigint as first, beyond.xid::text::bigint as beyond
            from range as r
            left join lateral (
                select t.xid from ledger.transaction as t
                where t.xid >= r.begins and t.xid < r.horizon
                order by t.xid limit 1
            ) as first on true
            left join lateral (
                select t.xid from ledger.transaction as t
                where t.xid >= r.begins and t.xid < r.horizon
                order by t.xid offset \(Int64(limit)) limit 1
            ) as beyond on first.xid is not null
            """)
        let (begins, horizon): (Int64, Int64) = (try row.value("begins"), try row.value("horizon"))
        guard begins <= horizon else { throw SealError.counterWentBack(sealed: begins, horizon: horizon) }
        guard let first = try row.value("first", as: Int64?.self) else { return nil }
        var end = horizon
        if let beyond = try row.value("beyond", as: Int64?.self) { end = max(beyond, first + 1) }
        return Stretch(last: try Self.last(row), range: begins..<end)
    }

    private static func last(_ row: Row) throws -> (number: Int64, hash: HexBytes)? {
        guard let number = try row.value("number", as: Int64?.self) else { return nil }
        return (number, HexBytes(try row.value("hash")))
    }

    /// The transactions of a range, in the order in which they are sealed.
    func entries(_ range: Range<Int64>, in transaction: borrowing Transaction) async throws -> [BookEntry] {
        let accounts = try await self.accounts(in: transaction)
        return try await transaction.query(
            Self.entries(
                """
                where t.xid >= \(range.lowerBound)::text::xid8 and t.xid < \(range.upperBound)::text::xid8
                order by t.xid, t.id
                """)
        ).map { try BookEntry(row: $0, accounts: accounts) }
    }

    /// One transaction; nil when there is none, or it is somebody else's.
    /// - Parameter member: nil for an operator, who may see everybody's.
    func entry(
        _ id: LedgerTransaction.ID, of member: Member.ID?, in transaction: borrowing Transaction
    ) async throws -> BookEntry? {
        let accounts = try await self.accounts(in: transaction)
        return try await transaction.first(
            Self.entries("where t.id = \(id) and (\(member)::uuid is null or t.member_id = \(member))")
        ).map { try BookEntry(row: $0, accounts: accounts) }
    }

    /// The accounts' codes. They are few, and a join with them would cost more than all the rest of an entry.
    private func accounts(in transaction: borrowing Transaction) async throws -> [Int16: String] {
        let codes = try await transaction.query("select id, code from ledger.account").map {
            try $0.decode(Int16.self, String.self)
        }
        return Dictionary(codes) { $1 }
    }

    private static func entries(_ selection: SQL) -> SQL {
        """
        select t.id, t.member_id, t.version, t.kind::text as kind, t.subject::text as subject, t.effective_at,
            t.recorded_at, t.xid::text::bigint as xid, t.available_after, t.pending_after, t.held_after, t.debt_after,
            p.lines, p.debits, p.credits, p.amounts, p.lots, p.rules
        from ledger.transaction as t
        cross join lateral (
            select array_agg(p.line::bigint order by p.line) as lines, array_agg(p.debit order by p.line) as debits,
                array_agg(p.credit order by p.line) as credits, array_agg(p.amount order by p.line) as amounts,
                array_agg(p.lot::bigint order by p.line) as lots, array_agg(p.rule order by p.line) as rules
            from ledger.posting as p
            where p.transaction_id = t.id and p.member_id = t.member_id
        ) as p
        \(fragment: selection)
        """
    }

    /// Adds a block to the chain.
    func append(
        _ block: SealBlock, leaves: [MerkleTree.Hash], key: SealPublicKey, in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            select ledger.append_block(
                \(block.number), \(block.xidFrom), \(block.xidTo), \(block.sealedAt), \(Int32(leaves.count)),
                \(key.id), \(key.publicKey.bytes), \(block.previous.bytes), \(block.root.bytes),
                \(block.hash.bytes), \(block.signature.bytes), \(Array(leaves.joined())))
            """)
    }

    /// When the oldest transaction that is not sealed yet was recorded; nil when all are.
    func oldestUnsealed(in transaction: borrowing Transaction) async throws -> Timestamp? {
        try await transaction.first(
            """
            select t.recorded_at from ledger.transaction as t
            where t.xid >= coalesce((select max(xid_to) from ledger.seal_block), '0'::xid8)
            order by t.xid limit 1
            """
        )?.decode(Timestamp.self)
    }
}

/// Why nothing can be sealed.
enum SealError: Error, Equatable {
    /// The database's counter of transactions is behind what is sealed: the data were moved to another cluster by a
    /// logical copy. New transactions would get ids that are sealed already.
    case counterWentBack(sealed: Int64, horizon: Int64)
}

extension BookEntry {
    /// Reads the transaction and the arrays of its postings.
    fileprivate init(row: Row, accounts: [Int16: String]) throws {
        self.init(
            id: try row.value("id"), member: try row.value("member_id"), number: try row.value("version"),
            kind: try row.value("kind"), subject: try row.value("subject"),
            effectiveAt: try row.value("effective_at"), recordedAt: try row.value("recorded_at"),
            xid: try row.value("xid"), availableAfter: try row.value("available_after"),
            pendingAfter: try row.value("pending_after"), heldAfter: try row.value("held_after"),
            debtAfter: try row.value("debt_after"), postings: try Posting.all(of: row, accounts))
    }
}

extension BookEntry.Posting {
    fileprivate static func all(of row: Row, _ accounts: [Int16: String]) throws -> [Self] {
        guard let lines = try row.value("lines", as: [Int64]?.self) else { return [] }
        let (debits, credits): ([Int16], [Int16]) = (try row.value("debits"), try row.value("credits"))
        let amounts: [Int64] = try row.value("amounts")
        let (lots, rules): ([Int64?], [String?]) = (try row.value("lots"), try row.value("rules"))
        // An account that is not there has no code: verification tells of it, and nothing is left out of a hash.
        func code(_ account: Int16) -> String { accounts[account] ?? "#\(account)" }
        return lines.indices.map { index in
            Self(
                line: lines[index], debit: code(debits[index]), credit: code(credits[index]), amount: amounts[index],
                lot: lots[index], rule: rules[index])
        }
    }
}

import FoundationEssentials
import Kernel
import Postgres

/// Receipts, their lines and their natural keys.
struct ReceiptStore: Sendable {
    /// A receipt that is stored already under a fiscal triple.
    struct Stored: Sendable {
        let fingerprint: [UInt8]
        let answer: ReceiptAnswer
    }

    /// Stores those of the receipts whose fiscal triple is new, in one statement, and says which they are.
    ///
    /// A triple that another transaction is storing at this moment is waited for. The keys are taken in their own
    /// order, so that two batches that share receipts cannot wait for each other.
    func insert(
        _ receipts: [JudgedReceipt], in transaction: borrowing Transaction
    ) async throws -> Set<Receipt.ID> {
        let lines = LineColumns(receipts)
        let fresh = try await transaction.query(
            """
            with input as (
                select *
                from unnest(
                    \(receipts.map(\.id.raw)), \(receipts.map(\.receipt.fiscal.fn)),
                    \(receipts.map(\.receipt.fiscal.fd)), \(receipts.map(\.receipt.fiscal.fpd)),
                    \(receipts.map(\.fingerprint)), \(receipts.map(\.member.raw)),
                    \(receipts.map(\.receipt.sale.at)), \(receipts.map(\.receipt.sale.store.text)),
                    \(receipts.map(\.receipt.sale.total.amount)), \(receipts.map(\.evaluation.points.amount)),
                    \(receipts.map(\.evaluation.ruleset)), \(receipts.map { JSONB($0.answer) }),
                    \(receipts.map(\.till)), \(receipts.map(\.acceptedAt))
                ) as r (
                    receipt_id, fn, fd, fpd, fingerprint, member_id, sold_at, store_id, total, points, ruleset, answer,
                    till_key, accepted_at
                )
            ), fresh as (
                insert into promotions.receipt_key (fn, fd, fpd, receipt_id, member_id, sold_at, fingerprint)
                select fn, fd, fpd, receipt_id, member_id, sold_at, fingerprint
                from input
                order by fn, fd, fpd
                on conflict (fn, fd, fpd) do nothing
                returning receipt_id, member_id, sold_at
            ), receipts as (
                insert into promotions.receipt (
                    member_id, sold_at, receipt_id, accepted_at, total, points, ruleset, fd, fpd, fn, store_id,
                    till_key, answer
                )
                select
                    i.member_id, i.sold_at, receipt_id, i.accepted_at, i.total, i.points, i.ruleset, i.fd, i.fpd, i.fn,
                    i.store_id, i.till_key, i.answer
                from input as i
                join fresh using (receipt_id)
            ), lines as (
                insert into promotions.receipt_line (
                    member_id, sold_at, receipt_id, position, quantity, price, discount, amount, points, sku, ean, name,
                    category, tags
                )
                select
                    fresh.member_id, fresh.sold_at, receipt_id, l.position, l.quantity, l.price, l.discount, l.amount,
                    l.points, l.sku, l.ean, l.name, l.category, string_to_array(l.tags, ',')
                from unnest(
                    \(lines.receipts), \(lines.positions), \(lines.quantities), \(lines.prices), \(lines.discounts),
                    \(lines.amounts), \(lines.points), \(lines.skus), \(lines.eans), \(lines.names),
                    \(lines.categories), \(lines.tags)
                ) as l (
                    receipt_id, position, quantity, price, discount, amount, points, sku, ean, name, category, tags
                )
                join fresh using (receipt_id)
            )
            select receipt_id
            from fresh
            """)
        return Set(try fresh.map { Receipt.ID(try $0.decode(UUID.self)) })
    }

    /// What is stored under these fiscal triples.
    func stored(
        _ fiscals: [FiscalID], in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [FiscalID: Stored] {
        let rows = try await runner.query(
            """
            select key.fn, key.fd, key.fpd, key.fingerprint, receipt.answer
            from unnest(\(fiscals.map(\.fn)), \(fiscals.map(\.fd)), \(fiscals.map(\.fpd))) as wanted (fn, fd, fpd)
            join promotions.receipt_key as key using (fn, fd, fpd)
            join promotions.receipt as receipt
                on receipt.member_id = key.member_id
                and receipt.sold_at = key.sold_at
                and receipt.receipt_id = key.receipt_id
            """)
        var found: [FiscalID: Stored] = [:]
        for row in rows {
            let (fn, fd, fpd, fingerprint, answer) = try row.decode(
                String.self, Int64.self, Int64.self, [UInt8].self, JSONB<ReceiptAnswer>.self)
            guard let fiscal = FiscalID(fn: fn, fd: fd, fpd: fpd) else { continue }
            found[fiscal] = Stored(fingerprint: fingerprint, answer: answer.value)
        }
        return found
    }

    /// Writes down that fiscal triples were presented again with other content; once for each content.
    func recordConflicts(_ receipts: [JudgedReceipt], in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            """
            insert into promotions.fraud_event (
                kind, seen_at, fn, fd, fpd, receipt_id, store_id, till_key, fingerprint
            )
            select
                'fiscal-conflict', seen.at, fn, fd, fpd, key.receipt_id, seen.store_id, seen.till_key, seen.fingerprint
            from unnest(
                \(receipts.map(\.receipt.fiscal.fn)), \(receipts.map(\.receipt.fiscal.fd)),
                \(receipts.map(\.receipt.fiscal.fpd)), \(receipts.map(\.acceptedAt)),
                \(receipts.map(\.receipt.sale.store.text)), \(receipts.map(\.till)), \(receipts.map(\.fingerprint))
            ) as seen (fn, fd, fpd, at, store_id, till_key, fingerprint)
            join promotions.receipt_key as key using (fn, fd, fpd)
            order by fn, fd, fpd
            on conflict (fn, fd, fpd, fingerprint) do nothing
            """)
    }

    /// Makes the partitions of the month that a moment lies in. Its own transaction: it locks the parents.
    func ensureMonth(of moment: Timestamp, in runner: borrowing some QueryRunner & ~Copyable) async throws {
        try await runner.execute("select promotions.ensure_month((\(moment) at time zone 'UTC')::date)")
    }

    /// What the ledger said about receipts.
    struct Posting: Sendable {
        let receipt: Receipt.ID
        let member: Member.ID
        let soldAt: Timestamp
        let postedAt: Timestamp
    }

    /// Notes when the ledger posted the receipts. A second telling changes nothing.
    func markPosted(_ postings: [Posting], in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            """
            update promotions.receipt as receipt
            set posted_at = posting.posted_at
            from unnest(
                \(postings.map(\.member.raw)), \(postings.map(\.soldAt)), \(postings.map(\.receipt.raw)),
                \(postings.map(\.postedAt))
            ) as posting (member_id, sold_at, receipt_id, posted_at)
            where receipt.member_id = posting.member_id
                and receipt.sold_at = posting.sold_at
                and receipt.receipt_id = posting.receipt_id
                and receipt.posted_at is null
            """)
    }
}

/// The lines of many receipts, column by column, as `unnest` takes them.
private struct LineColumns {
    var receipts: [UUID] = []
    var positions: [Int32] = []
    var quantities: [Int64] = []
    var prices: [Int64] = []
    var discounts: [Int64] = []
    var amounts: [Int64] = []
    var points: [Int64] = []
    var skus: [String] = []
    var eans: [String?] = []
    var names: [String?] = []
    var categories: [String?] = []
    /// Separated by commas, which no tag contains: an array of arrays would not come out of `unnest` whole.
    var tags: [String?] = []

    init(_ receipts: [JudgedReceipt]) {
        for receipt in receipts {
            for (line, result) in zip(receipt.receipt.sale.lines, receipt.evaluation.lines) {
                self.receipts.append(receipt.id.raw)
                self.positions.append(line.position)
                self.quantities.append(line.quantity.thousandths)
                self.prices.append(line.price.amount)
                self.discounts.append(line.discount.amount)
                self.amounts.append(line.sum.amount)
                self.points.append(result.points.amount)
                self.skus.append(line.sku)
                self.eans.append(line.ean)
                self.names.append(line.name)
                self.categories.append(line.category)
                self.tags.append(line.tags.isEmpty ? nil : line.tags.joined(separator: ","))
            }
        }
    }
}

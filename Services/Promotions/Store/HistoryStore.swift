import Kernel
import Postgres

/// Stored receipts, read again as sales: for simulations and for explaining.
struct HistoryStore: Sendable {
    /// A receipt as it was sold, and what it earned.
    struct Past: Sendable {
        let receipt: Receipt.ID
        let member: Member.ID
        let sale: Sale
        let points: Int64
    }

    /// Where a walk over the receipts goes on.
    struct Position: Sendable {
        let soldAt: Timestamp
        let receipt: Receipt.ID
    }

    /// Receipts of a time in the order in which they were sold. Those of members whose card is gone are left out.
    func page(
        of window: Window, after last: Position?, limit: Int, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [Past] {
        let rows = try await runner.query(
            """
            select receipt_id, receipt.member_id, sold_at, store_id, total, points, mine.card
            from promotions.receipt
            join lateral (
                select card from promotions.member_card as card where card.member_id = receipt.member_id limit 1
            ) as mine on true
            where sold_at >= \(window.from) and sold_at < \(window.to)
                and (\(last?.receipt)::uuid is null or (sold_at, receipt_id) > (\(last?.soldAt), \(last?.receipt)))
            order by sold_at, receipt_id
            limit \(Int64(limit))
            """
        ).map {
            try $0.decode(
                Receipt.ID.self, Member.ID.self, Timestamp.self, StoreID.self, Kopecks.self, Int64.self, CardNumber.self
            )
        }
        let lines = try await self.lines(of: rows.map { ($0.0, $0.2) }, in: runner)
        return rows.map { row in
            Past(
                receipt: row.0, member: row.1,
                sale: Sale(store: row.3, at: row.2, card: row.6, lines: lines[row.0] ?? [], total: row.4), points: row.5
            )
        }
    }

    private func lines(
        of receipts: [(id: Receipt.ID, soldAt: Timestamp)], in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [Receipt.ID: [ReceiptLine]] {
        let rows = try await runner.query(
            """
            select receipt_id, position, sku, ean, category, quantity, price, discount, amount, coalesce(tags, '{}')
            from unnest(\(receipts.map(\.id)), \(receipts.map(\.soldAt))) as wanted (receipt_id, sold_at)
            join promotions.receipt_line using (receipt_id, sold_at)
            order by receipt_id, position
            """)
        var found: [Receipt.ID: [ReceiptLine]] = [:]
        for row in rows {
            let (id, position, sku, ean, category, quantity, price, discount, sum, tags) = try row.decode(
                Receipt.ID.self, Int32.self, String.self, String?.self, String?.self, Quantity.self, Kopecks.self,
                Kopecks.self, Kopecks.self, [String].self)
            found[id, default: []].append(
                ReceiptLine(
                    position: position, sku: sku, ean: ean, category: category, quantity: quantity, price: price,
                    discount: discount, sum: sum, tags: tags))
        }
        return found
    }

    /// What is known of a fiscal triple.
    struct Known: Sendable {
        let member: Member.ID
        let isPosted: Bool
        let answer: ReceiptAnswer
    }

    func known(_ fiscal: FiscalID, in runner: borrowing some QueryRunner & ~Copyable) async throws -> Known? {
        let row = try await runner.first(
            """
            select key.member_id, receipt.posted_at is not null, receipt.answer
            from promotions.receipt_key as key
            join promotions.receipt as receipt
                on receipt.member_id = key.member_id
                and receipt.sold_at = key.sold_at
                and receipt.receipt_id = key.receipt_id
            where key.fn = \(fiscal.fn) and key.fd = \(fiscal.fd) and key.fpd = \(fiscal.fpd)
            """)
        guard let row else { return nil }
        let (member, isPosted, answer) = try row.decode(Member.ID.self, Bool.self, JSONB<ReceiptAnswer>.self)
        return Known(member: member, isPosted: isPosted, answer: answer.value)
    }
}

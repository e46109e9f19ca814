import Kernel
import Postgres

/// Goods that came back.
struct ReturnStore: Sendable {
    /// Writes a return down; false when its triple was used before, by a return or by a receipt.
    func insert(_ goods: GoodsReturn, at now: Timestamp, in transaction: borrowing Transaction) async throws -> Bool {
        let till = goods.goods
        let written = try await transaction.execute(
            """
            insert into promotions.goods_return (
                return_id, fn, fd, fpd, sale_fn, sale_fd, sale_fpd, store_id, till_key, returned_at, accepted_at,
                fingerprint
            )
            select
                \(goods.id), \(till.fiscal.fn), \(till.fiscal.fd), \(till.fiscal.fpd), \(till.sale.fn),
                \(till.sale.fd), \(till.sale.fpd), \(till.store), \(goods.till), \(till.at), \(now),
                \(goods.fingerprint)
            where not exists (
                select from promotions.receipt_key
                where fn = \(till.fiscal.fn) and fd = \(till.fiscal.fd) and fpd = \(till.fiscal.fpd)
            )
            on conflict (fn, fd, fpd) do nothing
            """)
        guard written == 1 else { return false }
        try await transaction.execute(
            """
            insert into promotions.goods_return_line (return_id, position, quantity)
            select \(goods.id), position, quantity
            from unnest(\(till.lines.map(\.position)), \(till.lines.map(\.quantity.thousandths)))
                as line (position, quantity)
            """)
        return true
    }

    /// The return that a triple was used for.
    func find(_ fiscal: FiscalID, in runner: borrowing some QueryRunner & ~Copyable) async throws -> GoodsReturn? {
        let row = try await runner.first(
            """
            select return_id
            from promotions.goods_return
            where fn = \(fiscal.fn) and fd = \(fiscal.fd) and fpd = \(fiscal.fpd)
            """)
        guard let row else { return nil }
        return try await self.find(try row.decode(GoodsReturn.ID.self), in: runner)
    }

    func find(_ id: GoodsReturn.ID, in runner: borrowing some QueryRunner & ~Copyable) async throws -> GoodsReturn? {
        let row = try await runner.first(
            """
            select
                fn, fd, fpd, sale_fn, sale_fd, sale_fpd, store_id, till_key, returned_at, fingerprint, state,
                receipt_id, refusal, clawed_back, restored
            from promotions.goods_return
            where return_id = \(id)
            """)
        guard let row else { return nil }
        let lines = try await runner.query(
            """
            select position, quantity, amount, points
            from promotions.goods_return_line
            where return_id = \(id)
            order by position
            """
        ).map { try $0.decode(Int32.self, Quantity.self, Kopecks?.self, Points?.self) }
        return try GoodsReturn(id: id, row: row, lines: lines)
    }

    /// Locks the receipt of a sale, by its triple, against being posted and against other returns at this moment.
    func lockSale(_ fiscal: FiscalID, in transaction: borrowing Transaction) async throws -> Sold? {
        try await transaction.first(
            """
            select receipt.receipt_id, receipt.member_id, receipt.sold_at, receipt.posted_at is not null as posted
            from promotions.receipt_key as key
            join promotions.receipt as receipt
                on receipt.member_id = key.member_id
                and receipt.sold_at = key.sold_at
                and receipt.receipt_id = key.receipt_id
            where key.fn = \(fiscal.fn) and key.fd = \(fiscal.fd) and key.fpd = \(fiscal.fpd)
            for update of receipt
            """, as: Sold.self)
    }

    /// A sale that something came back of.
    struct Sold: Sendable, RowDecodable {
        let receipt: Receipt.ID
        let member: Member.ID
        let soldAt: Timestamp
        let isPosted: Bool

        init(row: Row) throws {
            self.receipt = try row.value("receipt_id")
            self.member = try row.value("member_id")
            self.soldAt = try row.value("sold_at")
            self.isPosted = try row.value("posted")
        }
    }

    /// The lines of a sale with what has come back of each, in the order of their positions.
    func lines(of sold: Sold, in transaction: borrowing Transaction) async throws -> [SoldLine] {
        try await transaction.query(
            """
            select
                line.position, line.quantity, line.amount, line.points, coalesce(sum(back.quantity), 0)::bigint,
                coalesce(sum(back.amount), 0)::bigint, coalesce(sum(back.points), 0)::bigint, count(back.return_id)
            from promotions.receipt_line as line
            left join promotions.goods_return as goods
                on goods.receipt_id = line.receipt_id and goods.state in ('posting', 'done')
            left join promotions.goods_return_line as back
                on back.return_id = goods.return_id and back.position = line.position
            where line.receipt_id = \(sold.receipt) and line.sold_at = \(sold.soldAt)
            group by line.position, line.quantity, line.amount, line.points
            order by line.position
            """
        ).map { row in
            let (position, quantity, amount, points, returnedQuantity, returnedAmount, returnedPoints, returns) =
                try row.decode(
                    Int32.self, Int64.self, Int64.self, Int64.self, Int64.self, Int64.self, Int64.self, Int64.self)
            return SoldLine(
                position: position, quantity: quantity, amount: amount, points: points,
                returnedQuantity: returnedQuantity, returnedAmount: returnedAmount, returnedPoints: returnedPoints,
                returns: returns)
        }
    }

    /// The payments with points that paid for a receipt.
    func payments(of receipt: Receipt.ID, in transaction: borrowing Transaction) async throws -> [Hold.ID] {
        try await transaction.query(
            """
            select authorisation_id
            from promotions.receipt_payment
            where receipt_id = \(receipt)
            order by authorisation_id
            """
        ).map { try $0.decode(Hold.ID.self) }
    }

    /// Notes what a waiting return amounts to, or that it is refused; false when it does not wait any more.
    func settle(_ goods: GoodsReturn, of sold: Sold, in transaction: borrowing Transaction) async throws -> Bool {
        let written = try await transaction.execute(
            """
            update promotions.goods_return
            set state = \(goods.state), refusal = \(goods.refusal), receipt_id = \(sold.receipt),
                member_id = \(sold.member), sold_at = \(sold.soldAt), clawed_back = \(goods.clawedBack),
                restored = \(goods.restored)
            where return_id = \(goods.id) and state = 'waiting'
            """)
        guard written == 1 else { return false }
        try await transaction.execute(
            """
            update promotions.goods_return_line as line
            set amount = share.amount, points = share.points
            from unnest(
                \(goods.goods.lines.map(\.position)), \(goods.shares.map { $0?.amount.amount }),
                \(goods.shares.map { $0?.points.amount })
            ) as share (position, amount, points)
            where line.return_id = \(goods.id) and line.position = share.position
            """)
        return true
    }

    /// Those that wait for one of these receipts.
    func waiting(for receipts: [Receipt.ID], in transaction: borrowing Transaction) async throws -> [GoodsReturn.ID] {
        try await transaction.query(
            """
            select goods.return_id
            from promotions.goods_return as goods
            join promotions.receipt_key as key
                on (key.fn, key.fd, key.fpd) = (goods.sale_fn, goods.sale_fd, goods.sale_fpd)
            where goods.state = 'waiting' and key.receipt_id = any (\(receipts))
            order by goods.return_id
            """
        ).map { try $0.decode(GoodsReturn.ID.self) }
    }

    /// Those that wait although their sale is in the books, in the order of their ids.
    func settleable(
        after last: GoodsReturn.ID?, limit: Int, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [GoodsReturn.ID] {
        try await runner.query(
            """
            select goods.return_id
            from promotions.goods_return as goods
            join promotions.receipt_key as key
                on (key.fn, key.fd, key.fpd) = (goods.sale_fn, goods.sale_fd, goods.sale_fpd)
            join promotions.receipt as receipt
                on receipt.member_id = key.member_id
                and receipt.sold_at = key.sold_at
                and receipt.receipt_id = key.receipt_id
            where goods.state = 'waiting' and receipt.posted_at is not null
                and (\(last)::uuid is null or goods.return_id > \(last))
            order by goods.return_id
            limit \(Int64(limit))
            """
        ).map { try $0.decode(GoodsReturn.ID.self) }
    }

    /// Refuses those of sales that nobody has delivered and nobody can deliver any more. Gives their number.
    func giveUp(
        acceptedBefore edge: Timestamp, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> Int {
        try await runner.execute(
            """
            update promotions.goods_return as goods
            set state = 'refused', refusal = \(ReturnRefusal.unknownSale.code)
            where state = 'waiting' and accepted_at < \(edge)
                and not exists (
                    select
                    from promotions.receipt_key as key
                    where (key.fn, key.fd, key.fpd) = (goods.sale_fn, goods.sale_fd, goods.sale_fpd)
                )
            """)
    }

    /// Notes what the books say about a return; nothing when they have said it before.
    func finish(
        _ id: GoodsReturn.ID, clawedBack: Points?, restored: Points?, refusal: String?,
        in transaction: borrowing Transaction
    ) async throws {
        let state = refusal == nil ? GoodsReturn.State.done : .refused
        try await transaction.execute(
            """
            update promotions.goods_return
            set state = \(state), refusal = \(refusal), clawed_back = \(clawedBack), restored = \(restored)
            where return_id = \(id) and state = 'posting'
            """)
    }
}

extension GoodsReturn.State: PostgresWrapper {}

extension GoodsReturn {
    fileprivate init(id: ID, row: Row, lines: [(Int32, Quantity, Kopecks?, Points?)]) throws {
        let fiscal = FiscalID(fn: try row.value("fn"), fd: try row.value("fd"), fpd: try row.value("fpd"))
        let sale = FiscalID(fn: try row.value("sale_fn"), fd: try row.value("sale_fd"), fpd: try row.value("sale_fpd"))
        guard let fiscal, let sale else { throw UnreadableReturn(id: id) }
        self.init(
            id: id,
            goods: TillReturn(
                fiscal: fiscal, sale: sale, store: try row.value("store_id"), at: try row.value("returned_at"),
                lines: lines.map { TillReturn.Line(position: $0.0, quantity: $0.1) }),
            till: try row.value("till_key"), fingerprint: try row.value("fingerprint"),
            state: try row.value("state"), receipt: try row.value("receipt_id"), refusal: try row.value("refusal"),
            clawedBack: try row.value("clawed_back"), restored: try row.value("restored"),
            shares: lines.map { line in
                guard let amount = line.2, let points = line.3 else { return nil }
                return Share(amount: amount, points: points)
            })
    }
}

/// A stored return has no fiscal triple that could be one: somebody has changed it by hand.
struct UnreadableReturn: Error {
    let id: GoodsReturn.ID
}

internal import Kernel
internal import Postgres

/// Compares lists with the books: a chunk of a list against what the books have of it.
struct ReconciliationStore: Sendable {
    /// What differs, of these members. Who is not in the books has nothing.
    func differences(
        _ stated: [StatedBalance], now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> [Discrepancy] {
        try await transaction.query(
            """
            select s.member_id::text as subject, s.available as file,
                case when m.member_id is null then null else m.available - coalesce((
                    select sum(l.remaining) from ledger.lot as l
                    where m.next_expiry <= \(now) and l.member_id = m.member_id and l.expires_at >= m.next_expiry
                        and l.expires_at <= \(now)
                ), 0)::bigint end as books
            from unnest(\(stated.map(\.member)), \(stated.map(\.available))) with ordinality
                as s (member_id, available, n)
            left join ledger.member as m using (member_id)
            order by s.n
            """
        ).compactMap { row in
            let (file, books): (Int64, Int64?) = (try row.value("file"), try row.value("books"))
            guard books ?? 0 != file else { return nil }
            return Discrepancy(
                kind: books == nil ? .missingInBooks : .differs, subject: try row.value("subject"), file: "\(file)",
                books: books.map { "\($0)" } ?? "")
        }
    }

    /// Members of the books with something to spend after `last`.
    func members(
        after last: Member.ID?, now: Timestamp, limit: Int, in transaction: borrowing Transaction
    ) async throws -> [MemberBalance] {
        try await transaction.query(
            """
            select m.member_id, m.available - coalesce((
                    select sum(l.remaining) from ledger.lot as l
                    where m.next_expiry <= \(now) and l.member_id = m.member_id and l.expires_at >= m.next_expiry
                        and l.expires_at <= \(now)
                ), 0)::bigint as available
            from ledger.member as m
            where \(last)::uuid is null or m.member_id > \(last)
            order by m.member_id
            limit \(Int64(limit))
            """)
    }

    /// What differs, of these receipts.
    func differences(
        _ stated: [StatedReceipt], in transaction: borrowing Transaction
    ) async throws -> [Discrepancy] {
        try await transaction.query(
            """
            select s.fn, s.fd, s.fpd, s.total as file_total, s.points as file_points, r.total, earned.points
            from unnest(
                \(stated.map { Int64($0.fiscal.fn) ?? 0 }), \(stated.map(\.fiscal.fd)), \(stated.map(\.fiscal.fpd)),
                \(stated.map { $0.total?.amount }), \(stated.map(\.points))
            ) with ordinality as s (fn, fd, fpd, total, points, n)
            left join ledger.receipt as r on (r.fn, r.fd, r.fpd) = (s.fn, s.fd, s.fpd)
            left join lateral (
                select coalesce(sum(p.amount), 0)::bigint as points from ledger.posting as p
                where p.transaction_id = r.transaction_id and p.member_id = r.member_id and p.credit < 20
            ) as earned on r.receipt_id is not null
            order by s.n
            """
        ).compactMap(Self.discrepancy)
    }

    /// Receipts of the books that lie between the first and the last document of a fiscal drive in the list, and are not
    /// in it.
    func unlisted(
        fn: Int64, from first: Int64, to last: Int64, listed: [Int64], in transaction: borrowing Transaction
    ) async throws -> [Discrepancy] {
        try await transaction.query(
            """
            select r.fd, r.fpd, r.total from ledger.receipt as r
            where r.fn = \(fn) and r.fd between \(first) and \(last) and r.fd <> all (\(listed))
            order by r.fd
            """
        ).map { row in
            let (fd, fpd, total) = try row.decode(Int64.self, Int64.self, Int64.self)
            return Discrepancy(
                kind: .missingInFile, subject: "\(fn)/\(fd)/\(fpd)", file: "", books: "total \(total)")
        }
    }

    private static func discrepancy(_ row: Row) throws -> Discrepancy? {
        let (fn, fd, fpd): (Int64, Int64, Int64) = (try row.value("fn"), try row.value("fd"), try row.value("fpd"))
        let (fileTotal, filePoints): (Int64?, Int64?) = (try row.value("file_total"), try row.value("file_points"))
        let (total, points): (Int64?, Int64?) = (try row.value("total"), try row.value("points"))
        let file = Self.text(fileTotal, filePoints)
        guard let total, let points else {
            return Discrepancy(kind: .missingInBooks, subject: "\(fn)/\(fd)/\(fpd)", file: file, books: "")
        }
        guard fileTotal ?? total != total || filePoints ?? points != points else { return nil }
        return Discrepancy(
            kind: .differs, subject: "\(fn)/\(fd)/\(fpd)", file: file, books: Self.text(total, points))
    }

    private static func text(_ total: Int64?, _ points: Int64?) -> String {
        [total.map { "total \($0)" }, points.map { "points \($0)" }].compactMap(\.self).joined(separator: ", ")
    }
}

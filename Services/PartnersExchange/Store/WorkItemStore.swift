import Kernel
import Postgres

/// What people must look at.
struct WorkItemStore: Sendable {
    /// Opens an item; false while one of its kind is open about the same subject.
    @discardableResult
    func open(_ item: WorkItem, in runner: borrowing some QueryRunner & ~Copyable) async throws -> Bool {
        try await runner.execute(
            """
            insert into partners_exchange.work_item (
                work_item_id, kind, partner, subject, member_id, exchange_id, detail, opened_at
            )
            values (
                \(item.id), \(item.kind), \(item.partner), \(item.subject), \(item.member), \(item.exchange),
                \(item.detail), \(item.openedAt)
            )
            on conflict (kind, partner, subject) where closed_at is null do nothing
            """) == 1
    }

    func find(_ id: WorkItem.ID, in runner: borrowing some QueryRunner & ~Copyable) async throws -> WorkItem? {
        try await runner.first(
            """
            select work_item_id, kind, partner, subject, member_id, exchange_id, detail, opened_at, closed_at, closed_by,
                comment
            from partners_exchange.work_item
            where work_item_id = \(id)
            """, as: WorkItem.self)
    }

    /// Open items, the oldest first.
    /// - Parameter after: the last one of the page before.
    func list(
        after: WorkItem.ID?, limit: Int, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [WorkItem] {
        try await runner.query(
            """
            select work_item_id, kind, partner, subject, member_id, exchange_id, detail, opened_at, closed_at, closed_by,
                comment
            from partners_exchange.work_item
            where closed_at is null and (\(after)::uuid is null or work_item_id > \(after))
            order by work_item_id
            limit \(limit)
            """, as: WorkItem.self)
    }

    /// Closes an open item; false when somebody has closed it before.
    func close(
        _ id: WorkItem.ID, by staff: Staff.ID, comment: String, at now: Timestamp,
        in transaction: borrowing Transaction
    ) async throws -> Bool {
        try await transaction.execute(
            """
            update partners_exchange.work_item
            set closed_at = \(now), closed_by = \(staff), comment = \(comment)
            where work_item_id = \(id) and closed_at is null
            """) == 1
    }
}

/// Daily files that were taken.
struct FileStore: Sendable {
    struct Received: Hashable, Sendable {
        let partner: String
        let digest: [UInt8]
        let day: CivilDate
        var lines: Int32
        var applied: Int32
        var differences: Int32
    }

    /// Locks out a twin of the same upload, and tells what came of the file when it was taken before.
    func find(
        _ digest: [UInt8], of partner: String, in transaction: borrowing Transaction
    ) async throws -> Received? {
        try await transaction.execute(
            "select pg_advisory_xact_lock(hashtextextended(\("partners_exchange/file/" + partner), 0))")
        return try await transaction.first(
            """
            select partner, digest, day, lines, applied, differences
            from partners_exchange.partner_file
            where partner = \(partner) and digest = \(digest)
            """, as: Received.self)
    }

    func insert(
        _ file: Received, by staff: Staff.ID, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            insert into partners_exchange.partner_file (
                partner, digest, day, lines, applied, differences, received_by, received_at
            )
            values (
                \(file.partner), \(file.digest), \(file.day), \(file.lines), \(file.applied), \(file.differences),
                \(staff), \(now)
            )
            """)
    }
}

extension FileStore.Received: RowDecodable {
    init(row: Row) throws {
        self.init(
            partner: try row.value("partner"), digest: try row.value("digest"), day: try row.value("day"),
            lines: try row.value("lines"), applied: try row.value("applied"),
            differences: try row.value("differences"))
    }
}

extension WorkItem: RowDecodable {
    init(row: Row) throws {
        self.init(
            id: try row.value("work_item_id"), kind: try row.value("kind"), partner: try row.value("partner"),
            subject: try row.value("subject"), member: try row.value("member_id"),
            exchange: try row.value("exchange_id"), detail: try row.value("detail"),
            openedAt: try row.value("opened_at"), closedAt: try row.value("closed_at"),
            closedBy: try row.value("closed_by"), comment: try row.value("comment"))
    }
}

extension WorkItem.Kind: PostgresWrapper {}

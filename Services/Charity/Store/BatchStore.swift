import Kernel
import Postgres

/// The batches that pay funds.
struct BatchStore: Sendable {
    private static let columns: SQL = """
        batch_id, fund, month, until, donations, points, worth, match, file_hash, signature, key_id, public_key, state,
        transfer_id, maker_id, checker_id, paid, refusal, acknowledgement, prepared_at, paid_at, acknowledged_at
        """

    /// The end of a month by Moscow's calendar.
    func end(of month: CivilDate, in runner: borrowing some QueryRunner & ~Copyable) async throws -> Timestamp {
        try await runner.one("select (\(month) + interval '1 month') at time zone 'Europe/Moscow'")
            .decode(Timestamp.self)
    }

    /// Months that were over at a moment, of funds that are owed something and have no batch of the month. What is
    /// booked late goes into the next month's.
    func due(
        at moment: Timestamp, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [(fund: String, month: CivilDate)] {
        try await runner.query(
            """
            select fund, month
            from (
                select distinct fund, date_trunc('month', booked_at at time zone 'Europe/Moscow')::date as month
                from charity.donation
                where booked_at is not null and batch_id is null
            ) as owed
            where (month + interval '1 month') at time zone 'Europe/Moscow' <= \(moment)
                and not exists (
                    select from charity.batch
                    where batch.fund = owed.fund and batch.month = owed.month)
            order by month, fund
            """
        ).map { try $0.decode(String.self, CivilDate.self) }
    }

    /// Takes what is owed into a batch, with the locks that keep two batches from taking the same.
    func take(
        into batch: Batch.ID, fund: String, until: Timestamp, in transaction: borrowing Transaction
    ) async throws -> [BatchLine] {
        try await transaction.query(
            """
            with taken as (
                update charity.donation
                set batch_id = \(batch)
                where fund = \(fund) and booked_at < \(until) and batch_id is null
                returning donation_id, booked_at, points, worth, match
            )
            select donation_id, booked_at, points, worth, match
            from taken
            order by donation_id
            """, as: BatchLine.self)
    }

    /// False when the fund has a batch of the month.
    func insert(_ new: Batch, file: [UInt8], in transaction: borrowing Transaction) async throws -> Bool {
        try await transaction.execute(
            """
            insert into charity.batch (
                batch_id, fund, month, until, donations, points, worth, match, file, file_hash, signature, key_id,
                public_key, state, transfer_id, prepared_at
            )
            values (
                \(new.id), \(new.fund), \(new.month), \(new.until), \(new.donations), \(new.points), \(new.worth),
                \(new.match), \(file), \(new.fileHash), \(new.signature), \(new.key.id), \(new.key.bytes), \(new.state),
                \(new.transfer), \(new.preparedAt)
            )
            on conflict do nothing
            """) == 1
    }

    func find(_ id: Batch.ID, in runner: borrowing some QueryRunner & ~Copyable) async throws -> Batch? {
        try await runner.first(
            """
            select \(fragment: Self.columns)
            from charity.batch
            where batch_id = \(id)
            """, as: Batch.self)
    }

    func find(
        fund: String, month: CivilDate, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> Batch? {
        try await runner.first(
            """
            select \(fragment: Self.columns)
            from charity.batch
            where fund = \(fund) and month = \(month)
            """, as: Batch.self)
    }

    func file(of id: Batch.ID, in runner: borrowing some QueryRunner & ~Copyable) async throws -> [UInt8]? {
        try await runner.first("select file from charity.batch where batch_id = \(id)")?.decode([UInt8].self)
    }

    /// The latest first. What is not paid yet is for colleagues only.
    func list(
        before: Batch.ID?, isPublic: Bool, limit: Int, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [Batch] {
        try await runner.query(
            """
            select \(fragment: Self.columns)
            from charity.batch
            where (\(before)::uuid is null or batch_id < \(before))
                and (not \(isPublic) or state in ('paid', 'acknowledged'))
            order by batch_id desc
            limit \(limit)
            """, as: Batch.self)
    }

    /// The public keys that batches were signed with.
    func keys(in runner: borrowing some QueryRunner & ~Copyable) async throws -> [SettlementPublicKey] {
        try await runner.query("select distinct public_key from charity.batch order by public_key")
            .map { SettlementPublicKey(try $0.decode([UInt8].self)) }
    }

    /// False when it is not where the step begins.
    func submit(
        _ id: Batch.ID, by maker: Staff.ID, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> Bool {
        try await transaction.execute(
            """
            update charity.batch
            set state = 'submitted', maker_id = \(maker), submitted_at = \(now)
            where batch_id = \(id) and state = 'prepared'
            """) == 1
    }

    /// False when it is not where the step begins. That the two are different people the table says as well.
    func approve(
        _ id: Batch.ID, by checker: Staff.ID, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> Bool {
        try await transaction.execute(
            """
            update charity.batch
            set state = 'approved', checker_id = \(checker), approved_at = \(now)
            where batch_id = \(id) and state = 'submitted'
            """) == 1
    }

    /// Those that the ledger has not been heard about.
    func approved(in runner: borrowing some QueryRunner & ~Copyable) async throws -> [Batch] {
        try await runner.query(
            """
            select \(fragment: Self.columns)
            from charity.batch
            where state = 'approved' and refusal is null
            order by batch_id
            """, as: Batch.self)
    }

    func pay(
        _ id: Batch.ID, state: Batch.State, paid: Kopecks?, refusal: String?, at now: Timestamp,
        in runner: borrowing some QueryRunner & ~Copyable
    ) async throws {
        try await runner.execute(
            """
            update charity.batch
            set state = \(state), paid = \(paid), refusal = \(refusal), paid_at = \(now)
            where batch_id = \(id) and state = 'approved'
            """)
    }

    /// False when it is not where the step begins.
    func acknowledge(
        _ id: Batch.ID, number: String, by staff: Staff.ID, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> Bool {
        try await transaction.execute(
            """
            update charity.batch
            set state = 'acknowledged', acknowledgement = \(number), acknowledged_by = \(staff), acknowledged_at = \(now)
            where batch_id = \(id) and state = 'paid'
            """) == 1
    }
}

extension Batch.State: PostgresWrapper {}

extension BatchLine: RowDecodable {
    init(row: Row) throws {
        self.init(
            donation: try row.value("donation_id"), bookedAt: try row.value("booked_at"),
            points: try row.value("points"), worth: try row.value("worth"), match: try row.value("match"))
    }
}

extension Batch: RowDecodable {
    init(row: Row) throws {
        self.init(
            id: try row.value("batch_id"), fund: try row.value("fund"), month: try row.value("month"),
            until: try row.value("until"), donations: try row.value("donations"), points: try row.value("points"),
            worth: try row.value("worth"), match: try row.value("match"), fileHash: try row.value("file_hash"),
            signature: try row.value("signature"), key: SettlementPublicKey(try row.value("public_key")),
            state: try row.value("state"), transfer: try row.value("transfer_id"), maker: try row.value("maker_id"),
            checker: try row.value("checker_id"), paid: try row.value("paid"), refusal: try row.value("refusal"),
            acknowledgement: try row.value("acknowledgement"), preparedAt: try row.value("prepared_at"),
            paidAt: try row.value("paid_at"), acknowledgedAt: try row.value("acknowledged_at"))
    }
}

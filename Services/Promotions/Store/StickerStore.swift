import Contracts
import Kernel
import Postgres

/// Stickers on their way into the books, and what they are collected for.
struct StickerStore: Sendable {
    struct Move: Sendable {
        let id: LedgerTransfer.ID
        let member: Member.ID
        let campaign: String
        /// Above zero: given.
        let count: Int64
        let receipt: Receipt.ID?
        let rule: String?
    }

    func insert(_ moves: [Move], at now: Timestamp, in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            """
            insert into promotions.sticker_move (
                transfer_id, member_id, campaign, count, receipt_id, rule, state, created_at
            )
            select *, 'posting', \(now)::timestamptz
            from unnest(
                \(moves.map(\.id)), \(moves.map(\.member)), \(moves.map(\.campaign)), \(moves.map(\.count)),
                \(moves.map(\.receipt)), \(moves.map(\.rule))
            )
            """)
    }

    /// Notes what the books say about a move; nothing about one that is not ours.
    func finish(_ id: LedgerTransfer.ID, refusal: String?, in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            """
            update promotions.sticker_move
            set state = \(refusal == nil ? "done" : "refused"), refusal = \(refusal)
            where transfer_id = \(id) and state = 'posting'
            """)
    }

    /// A move that was to take more than one sticker and was refused because there are fewer; locked.
    func tooMany(_ id: LedgerTransfer.ID, in transaction: borrowing Transaction) async throws -> Move? {
        try await transaction.first(
            """
            select transfer_id, member_id, campaign, count, receipt_id, rule
            from promotions.sticker_move
            where transfer_id = \(id) and state = 'refused' and refusal = 'insufficient-stickers' and count < -1
            for update
            """, as: Move.self)
    }

    /// Single stickers that the member still owes to a campaign, as many as a move brought; none for one that took some.
    func owed(after id: LedgerTransfer.ID, in transaction: borrowing Transaction) async throws -> [Move] {
        try await transaction.query(
            """
            select owed.transfer_id, owed.member_id, owed.campaign, owed.count, owed.receipt_id, owed.rule
            from promotions.sticker_move as owed
            join promotions.sticker_move as came on came.member_id = owed.member_id and came.campaign = owed.campaign
            where came.transfer_id = \(id) and came.count > 0 and came.state = 'done'
                and owed.state = 'refused' and owed.count = -1 and owed.refusal = 'insufficient-stickers'
            order by owed.transfer_id
            limit (select greatest(count, 0) from promotions.sticker_move where transfer_id = \(id))
            for update of owed
            """, as: Move.self)
    }

    /// Asks for a move that was refused once more: under another id, since the books answer the same id the same way.
    func tryAgain(
        _ id: LedgerTransfer.ID, as again: LedgerTransfer.ID, count: Int64, in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            update promotions.sticker_move
            set transfer_id = \(again), count = \(count), state = 'posting', refusal = null
            where transfer_id = \(id) and state = 'refused'
            """)
    }

    /// Writes a campaign down or changes it.
    func upsert(
        _ campaign: StickerCampaign, by author: Staff.ID, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws {
        try await runner.execute(
            """
            insert into promotions.sticker_campaign (campaign, title_ru, title_en, ends_at, changed_by)
            values (
                \(campaign.code), \(campaign.title.russian), \(campaign.title.english), \(campaign.endsAt), \(author)
            )
            on conflict (campaign) do update
            set title_ru = excluded.title_ru, title_en = excluded.title_en, ends_at = excluded.ends_at,
                changed_by = excluded.changed_by
            """)
    }

    /// Those that are not over, the one that ends first before the others.
    func open(
        at now: Timestamp, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [StickerCampaign] {
        try await runner.query(
            """
            select campaign, title_ru, title_en, ends_at
            from promotions.sticker_campaign
            where ends_at > \(now)
            order by ends_at, campaign
            limit 100
            """
        ).map { row in
            let (code, russian, english, endsAt) = try row.decode(String.self, String.self, String.self, Timestamp.self)
            return StickerCampaign(code: code, title: Title(russian: russian, english: english), endsAt: endsAt)
        }
    }
}

extension StickerStore.Move: RowDecodable {
    init(row: Row) throws {
        self.init(
            id: try row.value("transfer_id"), member: try row.value("member_id"), campaign: try row.value("campaign"),
            count: try row.value("count"), receipt: try row.value("receipt_id"), rule: try row.value("rule"))
    }
}

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

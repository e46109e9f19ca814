import FoundationEssentials
import Kernel
import Postgres

/// The projection of auth's cards: which member a card belongs to.
struct CardStore: Sendable {
    struct Card: Hashable, Sendable {
        let number: CardNumber
        let member: Member.ID
        let issuedAt: Timestamp
    }

    /// Everything that accepting receipts must know beforehand, in one round trip.
    struct Presentation: Sendable {
        /// nil where the projection has not heard of the card.
        let member: Member.ID?
        /// The card was no longer good when the sale was.
        let isBlocked: Bool
        let isStoreKnown: Bool
        /// The ruleset in force; nil before one is.
        let ruleset: Int64?
    }

    /// One presentation for each sale, in their order.
    func present(_ sales: [Sale], in runner: borrowing some QueryRunner & ~Copyable) async throws -> [Presentation] {
        try await runner.query(
            """
            select
                card.member_id,
                coalesce(card.blocked_at <= sold_at, false),
                store.store_id is not null,
                (select version from promotions.ruleset where state = 'active')
            from unnest(\(sales.map(\.card.digits)), \(sales.map(\.store.text)), \(sales.map(\.at)))
                with ordinality as sale (card, store_id, sold_at, place)
            left join promotions.member_card as card using (card)
            left join promotions.store as store using (store_id)
            order by place
            """
        ).map { row in
            let (member, isBlocked, isStoreKnown, ruleset) = try row.decode(
                UUID?.self, Bool.self, Bool.self, Int64?.self)
            return Presentation(
                member: member.map { Member.ID($0) }, isBlocked: isBlocked, isStoreKnown: isStoreKnown,
                ruleset: ruleset)
        }
    }

    /// Writes cards down; a card that is known already keeps what was issued last, and one that is blocked stays so. Of the
    /// erased no card is written, however late it is told.
    func upsert(_ cards: [Card], in runner: borrowing some QueryRunner & ~Copyable) async throws {
        // A statement may touch a row once: of a card told twice the later telling counts.
        let latest = Dictionary(cards.map { ($0.number, $0) }) { $0.issuedAt < $1.issuedAt ? $1 : $0 }
        let cards = latest.values.sorted { $0.number.digits < $1.number.digits }
        try await runner.execute(
            """
            insert into promotions.member_card (card, member_id, issued_at)
            select card, member_id, issued_at
            from unnest(\(cards.map(\.number.digits)), \(cards.map(\.member.raw)), \(cards.map(\.issuedAt)))
                as told (card, member_id, issued_at)
            where not exists (
                select
                from promotions.member_profile as profile
                where profile.member_id = told.member_id and profile.standing_at = 'infinity'
            )
            on conflict (card) do update
            set member_id = excluded.member_id, issued_at = excluded.issued_at
            where promotions.member_card.issued_at < excluded.issued_at
            """)
    }

    /// Notes that cards are no longer good, also those that nothing was heard of yet.
    func block(
        _ cards: [(card: CardNumber, member: Member.ID, since: Timestamp)], in transaction: borrowing Transaction
    ) async throws {
        let first = Dictionary(cards.map { ($0.card, $0) }) { $0.since <= $1.since ? $0 : $1 }
        let cards = first.values.sorted { $0.card.digits < $1.card.digits }
        try await transaction.execute(
            """
            insert into promotions.member_card as known (card, member_id, issued_at, blocked_at)
            select card, member_id, blocked_at, blocked_at
            from unnest(\(cards.map(\.card.digits)), \(cards.map(\.member)), \(cards.map(\.since)))
                as told (card, member_id, blocked_at)
            where not exists (
                select
                from promotions.member_profile as profile
                where profile.member_id = told.member_id and profile.standing_at = 'infinity'
            )
            on conflict (card) do update
            set blocked_at = excluded.blocked_at
            where known.blocked_at is null or excluded.blocked_at < known.blocked_at
            """)
    }
}

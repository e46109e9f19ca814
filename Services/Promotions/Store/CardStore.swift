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
                store.store_id is not null,
                (select version from promotions.ruleset where state = 'active')
            from unnest(\(sales.map(\.card.digits)), \(sales.map(\.store.text)))
                with ordinality as sale (card, store_id, place)
            left join promotions.member_card as card using (card)
            left join promotions.store as store using (store_id)
            order by place
            """
        ).map { row in
            let (member, isStoreKnown, ruleset) = try row.decode(UUID?.self, Bool.self, Int64?.self)
            return Presentation(member: member.map { Member.ID($0) }, isStoreKnown: isStoreKnown, ruleset: ruleset)
        }
    }

    /// Writes cards down; a card that is known already keeps what was issued last.
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
            on conflict (card) do update
            set member_id = excluded.member_id, issued_at = excluded.issued_at
            where promotions.member_card.issued_at < excluded.issued_at
            """)
    }
}

import Kernel
import Postgres

/// Printed cards.
struct CardStockStore: Sendable {
    /// Adds cards; those that are there already, or somebody's, are left out.
    /// - Returns: how many were added.
    func load(
        _ cards: [CardNumber], batch: String, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> Int {
        try await transaction.execute(
            """
            insert into auth.card_stock (card, batch, loaded_at)
            select n.card, \(batch), \(now)
            from unnest(\(cards)) n (card)
            where not exists (select from auth.card c where c.card = n.card)
            on conflict (card) do nothing
            """)
    }

    /// Makes a card a member's; false when there is no such card, or it is taken. Of two who name one card at once the
    /// second waits here for the first.
    func take(
        _ card: CardNumber, for member: Member.ID, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> Bool {
        let taken = try await transaction.execute(
            """
            update auth.card_stock
            set taken_at = \(now)
            where card = \(card) and taken_at is null
            """)
        guard taken == 1 else { return false }
        return try await transaction.execute(
            """
            insert into auth.card (card, member_id, kind, state, issued_at)
            values (\(card), \(member), 'plastic', 'active', \(now))
            on conflict (card) do nothing
            """) == 1
    }
}

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

    /// Locks a member and counts the cards that are good; nil of a member that is unknown or erased.
    func lockHolder(_ member: Member.ID, in transaction: borrowing Transaction) async throws -> Int? {
        let row = try await transaction.first(
            """
            select (select count(*) from auth.card where card.member_id = m.member_id and card.state = 'active')
            from auth.member m
            where m.member_id = \(member) and m.state <> 'erased'
            for no key update of m
            """)
        return try row?.decode(Int.self)
    }

    /// Counts that a member names a card; false when that was done too often. Under the lock of the member.
    func chargeAttempt(
        of member: Member.ID, max: Int, since edge: Timestamp, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> Bool {
        try await transaction.execute(
            """
            insert into auth.card_attempt (member_id, tried_at)
            select \(member), \(now)
            where (
                select count(*) from auth.card_attempt where member_id = \(member) and tried_at > \(edge)
            ) < \(max)
            """) == 1
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

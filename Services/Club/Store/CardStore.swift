import Kernel
import Postgres

/// The cards of all members, for the operator's lists.
struct CardStore: Sendable {
    /// In the order of their numbers.
    func cards(on database: Database) async throws -> [(card: CardNumber, member: Member.ID)] {
        try await database.query(
            """
            select card, member_id
            from auth.card
            where state = 'active'
            order by card
            """
        ).map { row in
            let (card, member) = try row.decode(CardNumber.self, Member.ID.self)
            return (card, member)
        }
    }
}

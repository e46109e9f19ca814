import Contracts
import Kernel
import Postgres

/// Makes a printed card the member's beside those that they have: all of them earn. Whoever guesses numbers is stopped by the
/// count of attempts, which is committed before a card is looked for.
struct AddPrintedCard: Sendable {
    let database: Database
    let issue: IssueCard
    let tell: TellMember
    let clock: any WallClock

    enum Refusal: Error, Hashable {
        /// No printed card of this number, or one that is taken.
        case card
        /// Too many numbers were named since yesterday.
        case tooManyAttempts
        /// The member has as many as anybody may have.
        case tooManyCards
        /// Erased meanwhile.
        case gone
    }

    /// Fewer than would help anybody to guess a card.
    static let attemptsPerDay = 5
    static let cardsMax = 5

    /// - Throws: ``Refusal``, with nothing written but the attempt.
    func callAsFunction(_ card: CardNumber, of member: Member.ID) async throws {
        let (now, store) = (self.clock.now, CardStockStore())
        try await self.database.transaction { transaction in
            guard let had = try await store.lockHolder(member, in: transaction) else { throw Refusal.gone }
            guard had < Self.cardsMax else { throw Refusal.tooManyCards }
            guard
                try await store.chargeAttempt(
                    of: member, max: Self.attemptsPerDay, since: now - .seconds(86_400), at: now, in: transaction)
            else { throw Refusal.tooManyAttempts }
        }
        try await self.database.transaction { transaction in
            guard let had = try await store.lockHolder(member, in: transaction) else { throw Refusal.gone }
            guard had < Self.cardsMax else { throw Refusal.tooManyCards }
            guard try await self.issue.plastic(card, to: member, at: now, in: transaction) else { throw Refusal.card }
            try await self.tell.security(.member(member), .cardAdded, in: transaction)
        }
    }
}

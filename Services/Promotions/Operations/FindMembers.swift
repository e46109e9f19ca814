import Contracts
import JobQueue
import Kernel
import Postgres
import Web

/// Finds the holders of cards that the projection has not heard of: the event may still be on its way, so auth is
/// asked.
struct FindMembers: Sendable {
    private let database: Database
    private let bus: Bus
    private let cards = CardStore()
    /// Cards that nobody had a moment ago. Whoever guesses card numbers does not make auth work for each try.
    private let unknown: BoundedCache<CardNumber, Bool>
    private let questions: RateLimiter

    init(database: Database, bus: Bus, clock: any WallClock) {
        (self.database, self.bus) = (database, bus)
        self.questions = RateLimiter(RateLimitPolicy(burst: 500, per: .seconds(1)), clock: clock)
        self.unknown = BoundedCache(lifetime: .seconds(5), countMax: 10_000, clock: clock)
    }

    /// The holders of those cards that have one.
    ///
    /// - Throws: `rate-limited` when too many unknown cards were asked for, and what the call throws when auth does not
    ///   answer in time.
    func callAsFunction(_ cards: Set<CardNumber>) async throws -> [CardNumber: Member.ID] {
        var members: [CardNumber: Member.ID] = [:]
        for card in cards where self.unknown[card] == nil {
            try self.questions.admit("")
            guard let member = try await self.bus.call(ResolveCard(card: card)).member else {
                self.unknown.insert(true, for: card)
                continue
            }
            members[card] = member
        }
        if !members.isEmpty {
            // The event will tell when the card was issued, and overrules what is written down here.
            let early = Timestamp(microseconds: 0)
            try await self.cards.upsert(
                members.map { CardStore.Card(number: $0.key, member: $0.value, issuedAt: early) }, in: self.database)
        }
        return members
    }
}

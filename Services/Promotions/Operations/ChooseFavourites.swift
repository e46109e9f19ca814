import Kernel
import Postgres

/// Chooses favourite categories for a month, once: until the month is over they stay. What is sold after the choice counts, so
/// that nobody chooses by a receipt that is printed already.
struct ChooseFavourites: Sendable {
    enum Refusal: Error, Hashable {
        /// Others are chosen for the month.
        case chosen
        /// More than the member's level has.
        case tooMany(most: Int)
        case unknownCategory
        /// Neither this month nor the next.
        case wrongMonth
        /// The next month, and it is too early in this one.
        case notOpen
    }

    private let database: Database
    private let clock: any WallClock
    private let store = FavouriteStore()
    private let profiles = ProfileStore()
    private let facts = FactStore()

    init(database: Database, clock: any WallClock) {
        (self.database, self.clock) = (database, clock)
    }

    /// The day of the month before on which a month can be chosen for.
    static let opensOn: Int64 = 20

    /// When a month can be chosen for, in Moscow; half-open.
    /// - Parameter month: its first day.
    static func window(of month: CivilDate) -> Window {
        Window(
            from: month.firstOfLastMonth.adding(days: Self.opensOn - 1).start(offsetMinutes: LocalTime.moscowMinutes),
            to: month.firstOfNextMonth.start(offsetMinutes: LocalTime.moscowMinutes))
    }

    /// - Parameter month: its first day.
    /// - Throws: `Refusal`.
    func callAsFunction(_ categories: Set<String>, for member: Member.ID, in month: CivilDate) async throws {
        let now = self.clock.now
        let this = LocalTime(now, offsetMinutes: LocalTime.moscowMinutes).date.firstOfMonth
        guard month == this || month == this.firstOfNextMonth else { throw Refusal.wrongMonth }
        guard Self.window(of: month).contains(now) else { throw Refusal.notOpen }
        try await self.database.transaction { transaction in
            try await self.facts.lock(member, in: transaction)
            let chosen = try await self.store.choice(of: member, in: month, from: transaction).categories
            guard chosen.isEmpty else {
                guard Set(chosen) == categories else { throw Refusal.chosen }
                return
            }
            let most = Int(try await self.profiles.level(of: member, in: transaction).favourites)
            guard categories.count <= most else { throw Refusal.tooMany(most: most) }
            let written = try await self.store.choose(
                categories.sorted(), for: member, in: month, at: now, in: transaction)
            guard written == categories.count else { throw Refusal.unknownCategory }
        }
    }
}

import JobQueue
import Kernel
import Postgres

/// Judges levels by the turnover of the month before: what was bought less what came back. Running it twice, or breaking
/// it off and running it again, changes nothing: a level is a function of the month's receipts.
struct JudgeLevels: Sendable {
    private let database: Database
    private let clock: any WallClock
    private let store = ProfileStore()

    init(database: Database, clock: any WallClock) {
        (self.database, self.clock) = (database, clock)
    }

    /// - Parameter progress: called after each chunk.
    func callAsFunction(progress: () async throws -> Void = {}) async throws {
        let month = LocalTime(self.clock.now, offsetMinutes: LocalTime.moscowMinutes).date.firstOfLastMonth
        var last: Member.ID?
        repeat {
            let after = last
            last = try await self.database.transaction { transaction in
                try await self.store.judgeLevels(of: month, after: after, in: transaction)
            }
            try await progress()
        } while last != nil
        try await self.database.transaction { transaction in
            try await self.store.lowerIdle(since: month, in: transaction)
        }
    }
}

internal import Contracts
internal import JobQueue
internal import Kernel
internal import Postgres

/// Tells members of points that will expire, 30, 7 and 1 days ahead: once for each member, day of expiry and distance.
struct RemindMembersOfExpiry: Sendable {
    private let database: Database
    private let bus: Bus
    private let clock: any WallClock
    private let store = ReminderStore()

    static let daysBefore = [30, 7, 1]
    /// Members looked at in one transaction.
    static let chunk = 1000

    init(database: Database, bus: Bus, clock: any WallClock) {
        (self.database, self.bus, self.clock) = (database, bus, clock)
    }

    /// - Parameter progress: told how many members were told so far.
    /// - Returns: how many were told.
    @discardableResult
    func callAsFunction(progress: @Sendable (Int) async throws -> Void = { _ in }) async throws -> Int {
        let now = self.clock.now
        var told = 0
        for days in Self.daysBefore {
            var last: Member.ID?
            repeat {
                let chunk = try await self.chunk(days: days, after: last, now: now)
                told += chunk.told
                last = chunk.last
                try await progress(told)
            } while last != nil
        }
        return told
    }

    /// What is written down and what is told are one transaction: nobody is told twice or forgotten.
    private func chunk(days: Int, after last: Member.ID?, now: Timestamp) async throws -> (told: Int, last: Member.ID?)
    {
        try await self.database.transaction { transaction in
            let chunk = try await self.store.remind(
                daysBefore: days, after: last, at: now, limit: Self.chunk, in: transaction)
            try await self.bus.publish(contentsOf: chunk.reminders, in: transaction)
            return (chunk.reminders.count, chunk.last)
        }
    }
}

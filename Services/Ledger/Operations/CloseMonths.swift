internal import Kernel
internal import Logging
internal import Postgres

/// Closes the months that are over: every member's balance at their end, by the time of recording, for ever.
struct CloseMonths: Sendable {
    private let database: Database
    private let clock: any WallClock
    private let logger: Logger
    private let store = ClosingStore()

    /// Members closed in one transaction.
    static let chunk = 2000
    /// How often a process looks whether a month is over.
    static let interval = Duration.seconds(600)
    /// A transaction is dated by the clock before it is committed: what began in the month has ended by then, and clocks
    /// that differ by less do no harm. Verification would find what came later still.
    static let grace = Duration.seconds(3600)

    init(database: Database, clock: any WallClock, logger: Logger) {
        self.database = database
        self.clock = clock
        self.logger = logger
    }

    /// Closes every month that is due, the earliest first.
    /// - Returns: how many.
    @discardableResult
    func callAsFunction() async throws -> Int {
        var closed = 0
        while let month = try await self.store.nextMonth(at: self.clock.now - Self.grace, on: self.database) {
            guard try await self.close(month) else { return closed }
            closed += 1
            self.logger.info("Month closed", metadata: ["ledger.month": "\(month.year)-\(month.month)"])
        }
        return closed
    }

    /// False when another process was quicker.
    private func close(_ month: CivilDate) async throws -> Bool {
        var last: Member.ID?
        while let chunk = try await self.closeChunk(of: month, after: last) { last = chunk }
        return try await self.database.transaction { transaction in
            try await self.store.close(month, at: self.clock.now, in: transaction)
        }
    }

    private func closeChunk(of month: CivilDate, after last: Member.ID?) async throws -> Member.ID? {
        try await self.database.transaction { transaction in
            try await self.store.closeMembers(month, after: last, limit: Self.chunk, in: transaction)
        }
    }
}

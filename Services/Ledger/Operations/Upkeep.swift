internal import Kernel
internal import Logging
internal import Postgres
internal import ServiceLifecycle

/// What the ledger does of itself: voids holds whose time is over, writes off what has expired, matures what has waited,
/// makes partitions ahead.
///
/// Every process of the service runs it: each round is safe to run twice and at the same time.
struct Upkeep: Sendable {
    private let database: Database
    private let clock: any WallClock
    private let logger: Logger
    private let holds = HoldStore()
    private let store = UpkeepStore()

    /// Holds voided, and members whose points are written off, in one transaction.
    static let chunk = 200
    /// How long a refused transfer is answered the same way.
    static let refusalsKept = Duration.seconds(30 * 86_400)
    /// The month that runs and the three after it.
    static let monthsAhead = 4

    init(database: Database, clock: any WallClock, logger: Logger) {
        self.database = database
        self.clock = clock
        self.logger = logger
    }

    /// One round of everything. Interrupted, the next round finds the rest.
    func round() async throws {
        try await self.makePartitions()
        try await self.voidExpiredHolds()
        try await self.expirePoints()
        try await self.maturePoints()
        try await self.expireStickers()
    }

    /// - Returns: how many holds were voided.
    @discardableResult
    func voidExpiredHolds() async throws -> Int {
        var voided = 0
        while true {
            let chunk = try await self.database.transaction { transaction in
                try await self.holds.voidExpired(at: self.clock.now, limit: Self.chunk, in: transaction)
            }
            voided += chunk.count
            guard chunk.count == Self.chunk else { return voided }
        }
    }

    /// Writes off what has expired, the longest expired first, until nobody is left whom nobody else has locked.
    /// - Parameter progress: told how many members were looked at so far.
    /// - Returns: how many transactions were made.
    @discardableResult
    func expirePoints(progress: @Sendable (Int) async throws -> Void = { _ in }) async throws -> Int {
        var (made, looked) = (0, 0)
        var last: (expiry: Timestamp, member: Member.ID)?
        while true {
            let chunk = try await self.database.transaction { [last] transaction in
                try await self.store.expirePoints(
                    after: last, at: self.clock.now, limit: Self.chunk, in: transaction)
            }
            guard let chunk else { return made }
            last = chunk.last
            made += chunk.transactions
            looked += chunk.members
            try await progress(looked)
        }
    }

    /// How many members have something to expire.
    func expiryDue() async throws -> Int64 {
        try await self.store.expiryDue(at: self.clock.now, in: self.database)
    }

    /// Makes points available that have waited long enough.
    /// - Returns: for how many receipts.
    @discardableResult
    func maturePoints() async throws -> Int {
        try await self.all { transaction in
            try await self.store.maturePoints(at: self.clock.now, limit: Self.chunk, in: transaction)
        }
    }

    /// Writes off the stickers of campaigns that are over.
    /// - Returns: of how many members.
    @discardableResult
    func expireStickers() async throws -> Int {
        try await self.all { transaction in
            try await self.store.expireStickers(at: self.clock.now, limit: Self.chunk, in: transaction)
        }
    }

    /// Forgets refusals that nobody will ask for any more.
    /// - Returns: how many.
    @discardableResult
    func forgetRefusals() async throws -> Int {
        try await self.all { transaction in
            try await self.store.forgetRefusals(
                before: self.clock.now - Self.refusalsKept, limit: Self.chunk, in: transaction)
        }
    }

    /// Chunk after chunk until there is none left.
    private func all(
        _ chunk: @Sendable (borrowing Transaction) async throws -> Int
    ) async throws -> Int {
        var done = 0
        while true {
            let count = try await self.database.transaction { try await chunk($0) }
            done += count
            guard count > 0 else { return done }
        }
    }

    /// The months that are needed soon.
    func makePartitions() async throws {
        let made = try await self.database.transaction { transaction in
            try await self.store.makePartitions(from: self.clock.now, months: Self.monthsAhead, in: transaction)
        }
        if made > 0 {
            self.logger.info("Partitions made", metadata: ["ledger.partitions": "\(made)"])
        }
    }
}

/// Runs a round of the upkeep at once and then every `interval`.
struct UpkeepService: Service {
    let upkeep: Upkeep
    let interval: Duration
    let logger: Logger

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown {
                while !Task.isCancelled {
                    do {
                        try await self.upkeep.round()
                    } catch let error as DatabaseError {
                        // The next round tries again; a database that is away is told of by those who wait for it.
                        self.logger.warning("Upkeep failed", metadata: ["error": "\(error)"])
                    }
                    try await Task.sleep(for: self.interval)
                }
            }
        } catch is CancellationError {
            // Being asked to stop is no failure.
        }
    }
}

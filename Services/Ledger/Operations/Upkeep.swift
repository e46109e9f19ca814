internal import Kernel
internal import Logging
internal import Postgres
internal import ServiceLifecycle

/// What the ledger does of itself: voids holds whose time is over, writes off expired points, makes partitions ahead.
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

    /// - Returns: how many transactions were made.
    @discardableResult
    func expirePoints() async throws -> Int {
        var made = 0
        var last: Member.ID?
        while true {
            let chunk = try await self.database.transaction { transaction in
                try await self.store.expirePoints(
                    after: last, at: self.clock.now, limit: Self.chunk, in: transaction)
            }
            guard let chunk else { return made }
            made += chunk.transactions
            last = chunk.last
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

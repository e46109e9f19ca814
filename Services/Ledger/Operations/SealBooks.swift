internal import Kernel
internal import Logging
internal import Metrics
internal import Postgres

/// Seals what is final: blocks of transactions, chained and signed.
///
/// Every process of the service runs it; one of them seals, the others find the work done.
struct SealBooks: Sendable {
    private let database: Database
    private let key: SealKey
    private let clock: any WallClock
    private let random: RandomBytes
    private let logger: Logger
    private let store = SealStore()
    private let sealed = Counter(label: "ledger_sealed_transactions_total")
    private let age = Gauge(label: "ledger_unsealed_age_seconds")

    private let blockSize: Int

    /// Transactions in a block, about.
    static let blockSize = 4096

    init(
        database: Database, key: SealKey, clock: any WallClock, random: RandomBytes, logger: Logger,
        blockSize: Int = Self.blockSize
    ) {
        self.database = database
        self.key = key
        self.clock = clock
        self.random = random
        self.logger = logger
        self.blockSize = blockSize
    }

    /// One round: block after block until nothing final is left unsealed.
    /// - Returns: how many transactions were sealed.
    @discardableResult
    func callAsFunction() async throws -> Int {
        var count = 0
        while let block = try await self.sealNext() {
            count += Int(block.transactions)
            self.sealed.increment(by: block.transactions)
            // The chain's end, out of the reach of whoever writes to the database.
            self.logger.info(
                "Block sealed",
                metadata: [
                    "ledger.block": "\(block.number)", "ledger.hash": "\(block.hash)",
                    "ledger.transactions": "\(block.transactions)",
                ])
        }
        try await self.measure()
        return count
    }

    private func sealNext() async throws -> SealBlock? {
        try await self.database.transaction { transaction in
            guard try await self.store.take(in: transaction),
                let stretch = try await self.store.next(limit: self.blockSize, in: transaction)
            else { return nil }
            let leaves = try await self.store.entries(stretch.range, in: transaction).map(\.leaf)
            let block = try SealBlock(
                after: stretch.last ?? (number: 0, hash: HexBytes(self.random.next(32))), range: stretch.range,
                leaves: leaves, at: self.clock.now, key: self.key)
            try await self.store.append(block, leaves: leaves, key: self.key.publicKey, in: transaction)
            return block
        }
    }

    private func measure() async throws {
        let oldest = try await self.database.transaction { try await self.store.oldestUnsealed(in: $0) }
        let age = oldest.map { self.clock.now - $0 } ?? .zero
        self.age.record(Double(max(0, age / .seconds(1))))
    }
}

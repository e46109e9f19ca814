import JobQueue
import Kernel
import Postgres

/// Look at returns that wait. Sent by promotions to itself.
struct LookAtReturns: Command {
    static let name = "promotions.look-at-returns"
    static let queue: QueueName = "promotions.upkeep"
}

/// Brings returns to the books that wait although their sale is there: the process that should have done so has ended between
/// two transactions. Refuses those whose sale can no longer come.
struct SweepReturns: Sendable {
    /// A receipt comes so much later than its sale at most; a till's clock and the order of its deliveries are allowed for.
    static let patience = ReceiptLimits.behindMax + .seconds(2 * 86_400)
    private static let chunk = 100

    private let database: Database
    private let settle: SettleReturns
    private let clock: any WallClock
    private let store = ReturnStore()

    init(database: Database, settle: SettleReturns, clock: any WallClock) {
        (self.database, self.settle, self.clock) = (database, settle, clock)
    }

    /// How many wait no longer.
    /// - Parameter progress: called after each return.
    @discardableResult
    func callAsFunction(progress: () async throws -> Void = {}) async throws -> Int {
        var (settled, last) = (0, GoodsReturn.ID?.none)
        while true {
            let due = try await self.store.settleable(after: last, limit: Self.chunk, in: self.database)
            for id in due {
                // One by one: the sale's lock is held for a moment only, and a return that fails holds up no other.
                try await self.database.transaction { transaction in try await self.settle(id, in: transaction) }
                try await progress()
            }
            settled += due.count
            last = due.last
            if due.count < Self.chunk { break }
        }
        return settled
            + (try await self.store.giveUp(acceptedBefore: self.clock.now - Self.patience, in: self.database))
    }
}

internal import Contracts
internal import JobQueue
internal import Kernel
internal import Postgres

/// What the ledger hears, and what it does about it.
struct LedgerHandlers: Sendable {
    /// Receipts to be posted, hundreds in a transaction.
    static let receipts = QueueDeclaration(PostReceipt.queue, onDead: .block)
    /// Calls about holds, answered one by one.
    static let calls = QueueDeclaration(PlaceHold.queue)

    let postReceipts: PostReceipts
    let reservePoints: ReservePoints
    let burnPoints: BurnPoints
    let releasePoints: ReleasePoints

    var all: [Handler] {
        [
            .batch(PostReceipt.self, limit: 500) { jobs, transaction in
                try await self.postReceipts(jobs.map(\.message), in: transaction)
            },
            .reply(PlaceHold.self) { call, _, transaction in try await self.reservePoints(call, in: transaction) },
            .reply(CaptureHold.self) { call, _, transaction in try await self.burnPoints(call, in: transaction) },
            .reply(VoidHold.self) { call, _, transaction in try await self.releasePoints(call, in: transaction) },
        ]
    }
}

internal import Contracts
internal import Kernel
internal import Postgres

/// Gives reserved points back to the lots they came from.
struct ReleasePoints: Sendable {
    let clock: any WallClock
    private let store = HoldStore()

    init(clock: any WallClock) {
        self.clock = clock
    }

    func callAsFunction(
        _ call: VoidHold, in transaction: borrowing Transaction
    ) async throws -> VoidHold.Reply {
        try await self.store.void(call, at: self.clock.now, in: transaction)
    }
}

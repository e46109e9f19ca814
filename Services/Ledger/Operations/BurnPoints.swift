internal import Contracts
internal import Kernel
internal import Postgres

/// Spends reserved points, all or a part of them; the rest goes back to the lots it came from.
struct BurnPoints: Sendable {
    let clock: any WallClock
    private let store = HoldStore()

    init(clock: any WallClock) {
        self.clock = clock
    }

    func callAsFunction(
        _ call: CaptureHold, in transaction: borrowing Transaction
    ) async throws -> CaptureHold.Reply {
        guard call.points != .zero else { return .refused(.noPoints) }
        guard call.closes ?? true || (call.capture != nil && call.points != nil) else { return .refused(.noPoints) }
        return try await self.store.capture(call, at: self.clock.now, in: transaction)
    }
}

internal import Contracts
internal import Kernel
internal import Postgres

/// Sets a member's points aside, those that expire first.
struct ReservePoints: Sendable {
    let clock: any WallClock
    private let store = HoldStore()

    /// How long a hold may live: from a second to 30 days.
    static let lifetime: ClosedRange<Int64> = 1...(30 * 86_400)

    init(clock: any WallClock) {
        self.clock = clock
    }

    func callAsFunction(
        _ call: PlaceHold, in transaction: borrowing Transaction
    ) async throws -> PlaceHold.Reply {
        guard call.points > .zero else { return .refused(.noPoints, available: nil) }
        let now = self.clock.now
        let seconds = min(max(call.expiresInSeconds, Self.lifetime.lowerBound), Self.lifetime.upperBound)
        return try await self.store.place(call, until: now + .seconds(seconds), at: now, in: transaction)
    }
}

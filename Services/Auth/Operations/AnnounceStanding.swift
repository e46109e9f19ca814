import Contracts
import JobQueue
import Kernel
import Postgres

/// Tells the other services how a member stands, in the transaction that changed it.
struct AnnounceStanding: Sendable {
    let bus: Bus
    let clock: any WallClock

    func callAsFunction(_ member: Member.ID, in transaction: borrowing Transaction) async throws {
        guard let standing = try await StandingStore().find(member, on: transaction) else { return }
        try await self.bus.publish(
            StandingChanged(member: member, standing: standing, changedAt: self.clock.now), in: transaction)
    }
}

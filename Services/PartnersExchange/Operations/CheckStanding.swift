import Contracts
import JobQueue
import Kernel

/// Asks auth whether a member's points may leave the account now: every time, since a thief changes the phone first.
struct CheckStanding: Sendable {
    let bus: Bus
    let clock: any WallClock
    let limits: ExchangeLimits

    /// - Throws: ``ExchangeRefusal``.
    func callAsFunction(_ member: Member.ID) async throws {
        let reply: FetchStanding.Reply
        do {
            reply = try await self.bus.call(FetchStanding(member: member))
        } catch is CallError {
            throw ExchangeRefusal.undecided
        }
        try self.limits.check(reply.standing, at: self.clock.now)
    }
}

import Contracts
import JobQueue
import Kernel
import Postgres

/// Tells the other services on which day a member's birthday is, in the transaction that wrote it.
struct AnnounceBirthday: Sendable {
    let bus: Bus
    let clock: any WallClock

    func callAsFunction(_ birthday: Birthday, of member: Member.ID, in transaction: borrowing Transaction) async throws
    {
        try await self.bus.publish(
            BirthdaySet(
                member: member, month: Int(birthday.day.month), day: Int(birthday.day.day), changedAt: self.clock.now),
            in: transaction)
    }
}

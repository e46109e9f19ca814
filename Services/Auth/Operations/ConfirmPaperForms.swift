import Contracts
import JobQueue
import Kernel
import Postgres

/// Makes a member of a paper form an active one: because a code to the phone came back, or because twenty days are over.
struct ConfirmPaperForm: Sendable {
    let bus: Bus
    let clock: any WallClock
    let announce: AnnounceStanding

    /// - Returns: false when no form of the member waits.
    @discardableResult
    func callAsFunction(
        _ member: Member.ID, by confirmation: RegistrationStore.Confirmation, in transaction: borrowing Transaction
    ) async throws -> Bool {
        let now = self.clock.now
        guard try await RegistrationStore().confirm(member, by: confirmation, at: now, in: transaction) else {
            return false
        }
        try await self.bus.publish(
            MemberJoined(member: member, way: MemberOrigin.paper.way, joinedAt: now), in: transaction)
        try await self.announce(member, in: transaction)
        return true
    }
}

/// Confirms the forms whose time has come, some hundred in a transaction. Running twice at once does no harm.
struct ConfirmPaperForms: Sendable {
    let database: Database
    let clock: any WallClock
    let confirm: ConfirmPaperForm

    static let chunk = 200

    /// - Returns: how many were confirmed.
    @discardableResult
    func callAsFunction() async throws -> Int {
        var confirmed = 0
        while true {
            let count = try await self.database.transaction { transaction in
                let due = try await RegistrationStore().due(at: self.clock.now, limit: Self.chunk, in: transaction)
                for member in due { try await self.confirm(member, by: .time, in: transaction) }
                return due.count
            }
            confirmed += count
            guard count == Self.chunk else { return confirmed }
        }
    }
}

/// Look for paper forms whose time has come. Sent by auth to itself.
struct ConfirmDueForms: Command {
    static let name = "auth.confirm-due-forms"
    static let queue: QueueName = "auth.registrations"
}

extension Handler {
    static func confirmDueForms(_ confirm: ConfirmPaperForms) -> Handler {
        .leased(ConfirmDueForms.self) { _, _ in try await confirm() }
    }
}

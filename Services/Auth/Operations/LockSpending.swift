import Contracts
import Kernel
import Postgres

/// The lock that a member puts on spending: closed at once, opened with a code.
struct LockSpending: Sendable {
    let database: Database
    let confirm: ConfirmAction
    let announce: AnnounceStanding
    let tell: TellMember

    /// Locking twice is no error, and told once.
    func lock(_ member: Member.ID) async throws {
        try await self.database.transaction { transaction in
            guard try await StandingStore().lockSpending(true, of: member, in: transaction) else { return }
            try await self.announce(member, in: transaction)
        }
    }

    func askToUnlock(_ member: Member.ID) async throws -> Result<ConfirmAction.Asked, StepUpRefusal> {
        try await self.confirm.ask(.unlockSpending, of: member)
    }

    /// - Returns: false when the code is refused.
    func unlock(_ member: Member.ID, _ id: StepUp.ID, code: String) async throws -> Bool {
        try await self.confirm(id, .unlockSpending, of: member, code: code) { transaction in
            guard try await StandingStore().lockSpending(false, of: member, in: transaction) else { return }
            try await self.announce(member, in: transaction)
            try await self.tell.security(.member(member), .spendingUnlocked, in: transaction)
        } != nil
    }
}

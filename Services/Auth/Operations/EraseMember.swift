import Contracts
import FoundationEssentials
import JobQueue
import Kernel
import Postgres

/// Erases a member: destroys the key of the personal data, ends every session, and tells the other services. The books and
/// the receipts keep the pseudonymous id, so they verify afterwards as before.
struct EraseMember: Sendable {
    let bus: Bus
    let clock: any WallClock
    let vault: Vault
    let confirm: ConfirmAction
    let end: EndSessions
    let tell: TellMember

    func ask(_ member: Member.ID) async throws -> Result<ConfirmAction.Asked, StepUpRefusal> {
        try await self.confirm.ask(.erasure, of: member)
    }

    /// - Returns: false when the code is refused.
    func callAsFunction(_ member: Member.ID, _ id: StepUp.ID, code: String) async throws -> Bool {
        try await self.confirm(id, .erasure, of: member, code: code) { transaction in
            let now = self.clock.now
            guard let current = try await ProfileStore().lock(member, in: transaction) else { return }
            let key = try self.vault.unwrap(current.wrappedKey, of: member)
            let phone = try current.sealedPhone.map { try PhoneNumber(parsing: key.open($0, field: .phone)) }
            try await self.end.all(of: member, because: .member, in: transaction)
            try await ErasureStore().erase(
                member, phoneIndex: phone.map { self.vault.index($0) }, at: now, in: transaction)
            try await self.bus.publish(MemberErased(member: member, erasedAt: now), in: transaction)
            // The last message, by a number that is nobody's any more.
            if let phone { try await self.tell.security(.phone(phone), .erased, in: transaction) }
        } != nil
    }
}

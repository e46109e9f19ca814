import Contracts
import FoundationEssentials
import Kernel
import Postgres

/// Makes an address a member's once a code that was sent there has come back.
struct ChangeEmail: Sendable {
    let database: Database
    let clock: any WallClock
    let vault: Vault
    let mail: MailCode
    let audit: RecordChanges
    let tell: TellMember

    /// - Returns: nil when the member asked for too many codes, or was erased meanwhile.
    func begin(_ email: EmailAddress, of member: Member.ID) async throws -> MailCode.Sent? {
        try await self.database.transaction { transaction in
            guard let current = try await ProfileStore().lock(member, in: transaction) else { return nil }
            let key = try self.vault.unwrap(current.wrappedKey, of: member)
            return try await self.mail.send(to: email, of: member, key: key, for: .address, in: transaction)
        }
    }

    /// - Returns: false when the code is refused.
    func callAsFunction(
        _ id: Challenge.ID, of member: Member.ID, session: Session.ID, code: String
    ) async throws -> Bool {
        guard let wrapped = try await MemberStore().wrappedKey(of: member, on: self.database) else { return false }
        let key = try self.vault.unwrap(wrapped, of: member)
        guard let proved = try await self.mail.check(id, of: member, key: key, code: code),
            proved.purpose == .address
        else { return false }
        return try await self.database.transaction { transaction in
            guard let current = try await ProfileStore().lock(member, in: transaction),
                try await EmailChallengeStore().use(id, at: self.clock.now, in: transaction)
            else { return false }
            try await self.set(proved.email, current, of: member, session: session, in: transaction)
            return true
        }
    }

    /// Takes the address away. None was there: nothing happens.
    func remove(of member: Member.ID, session: Session.ID) async throws {
        try await self.database.transaction { transaction in
            guard let current = try await ProfileStore().lock(member, in: transaction), current.sealedEmail != nil
            else {
                return
            }
            try await self.set(nil, current, of: member, session: session, in: transaction)
        }
    }

    private func set(
        _ email: EmailAddress?, _ current: ProfileStore.Locked, of member: Member.ID, session: Session.ID,
        in transaction: borrowing Transaction
    ) async throws {
        let key = try self.vault.unwrap(current.wrappedKey, of: member)
        let before = try current.sealedEmail.map { try key.open($0, field: .email) }
        guard before != email?.address else { return }
        try await ProfileStore().setEmail(
            try email.map { try key.seal($0.address, field: .email) }, of: member, at: self.clock.now, in: transaction)
        try await self.audit(
            [.init(field: .email, before: before, after: email?.address)], of: member, key: key, by: .member(session),
            in: transaction)
        // The old address as well: thieves change the e-mail first.
        if let before, let old = EmailAddress(before) {
            try await self.tell.security(.email(old), .emailChanged, in: transaction)
        }
    }
}

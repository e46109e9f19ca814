import Contracts
import FoundationEssentials
import Kernel
import Postgres
import Web

/// Makes another phone a member's, when a code to the old one and a code to the new one have both come. Whether the new
/// phone is somebody's is looked up only then: whoever holds both phones may know.
struct ChangePhone: Sendable {
    let database: Database
    let clock: any WallClock
    let vault: Vault
    let confirm: ConfirmAction
    let requestChallenge: RequestChallenge
    let verify: VerifyCode
    let end: EndSessions
    let announce: AnnounceStanding
    let tell: TellMember
    let audit: RecordChanges

    enum Refusal: Error, Hashable {
        case stepUp(StepUpRefusal)
        /// Of codes to the new phone.
        case quota(QuotaRefusal)
        /// One of the two codes; which one is not said.
        case codes
        /// The new phone is another member's.
        case taken
    }

    /// A change that waits for its two codes.
    struct Begun: Sendable {
        let change: ConfirmAction.Asked
        /// The code to the new phone; sent again like a login's.
        let challenge: RequestChallenge.Issued
    }

    /// - Throws: ``Refusal``. A code may have been sent to the new phone all the same.
    func begin(_ phone: PhoneNumber, of member: Member.ID, from network: ClientNetwork) async throws -> Begun {
        let challenge: RequestChallenge.Issued
        switch try await self.requestChallenge(phone, from: network, for: .phone) {
        case .success(let issued): challenge = issued
        case .failure(let refusal): throw Refusal.quota(refusal)
        }
        let now = self.clock.now
        return try await self.database.transaction { transaction in
            switch try await self.confirm.ask(.phoneChange(to: phone), of: member, in: transaction) {
            case .failure(let refusal): throw Refusal.stepUp(refusal)
            case .success(let asked):
                try await PhoneChangeStore().insert(
                    asked.id, of: member, challenge: challenge.challenge, at: now, in: transaction)
                return Begun(change: asked, challenge: challenge)
            }
        }
    }

    /// - Parameters:
    ///   - oldCode: the six digits that went to the old phone.
    ///   - newCode: the six digits that went to the new one.
    ///   - session: where it is done; the member's other sessions end.
    /// - Throws: ``Refusal``, with the phone unchanged.
    func callAsFunction(
        _ change: StepUp.ID, of member: Member.ID, session: Session.ID, oldCode: String, newCode: String
    ) async throws {
        let store = PhoneChangeStore()
        guard let pending = try await store.find(change, of: member, on: self.database) else { throw Refusal.codes }
        let phone = try self.vault.openPhone(pending.sealedPhone, index: pending.phoneIndex)
        // Both are counted and compared, whatever becomes of the first.
        let isNewRight = try await self.verify(pending.challenge, answer: newCode, for: .phone)
        let isDone: Void?
        do {
            isDone = try await self.confirm(change, .phoneChange(to: phone), of: member, code: oldCode) { transaction in
                guard isNewRight else { throw Refusal.codes }
                try await self.apply(pending, phone, of: member, session: session, in: transaction)
            }
        } catch let error as DatabaseError where error.code == .uniqueViolation {
            // Somebody has registered the phone at this very moment.
            throw Refusal.taken
        }
        guard isDone != nil else { throw Refusal.codes }
    }

    private func apply(
        _ pending: PhoneChangeStore.Pending, _ phone: PhoneNumber, of member: Member.ID, session: Session.ID,
        in transaction: borrowing Transaction
    ) async throws {
        let (now, store) = (self.clock.now, PhoneChangeStore())
        guard try await ChallengeStore().verify(pending.challenge, at: now, in: transaction) != nil,
            let current = try await ProfileStore().lock(member, in: transaction)
        else { throw Refusal.codes }
        let key = try self.vault.unwrap(current.wrappedKey, of: member)
        let old = try current.sealedPhone.map { try PhoneNumber(parsing: key.open($0, field: .phone)) }
        let sealed = try key.seal(phone.e164, field: .phone)
        guard
            try await store.apply(
                sealed, index: pending.phoneIndex, of: member, at: now, in: transaction)
        else { throw Refusal.taken }
        try await StandingStore().phoneChanged(of: member, at: now, in: transaction)
        try await self.audit(
            [.init(field: .phone, before: old?.e164, after: phone.e164)], of: member, key: key, by: .member(session),
            in: transaction)
        try await self.end.all(of: member, except: session, because: .member, in: transaction)
        try await self.announce(member, in: transaction)
        // The old phone, too: if it was not the member who changed it, that is where they are.
        if let old { try await self.tell.security(.phone(old), .phoneChanged, in: transaction) }
    }
}

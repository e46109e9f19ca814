import Contracts
import FoundationEssentials
import JobQueue
import Kernel
import Postgres

/// Gives another phone to a member who has lost the old one: a colleague of the support line proposes it after having asked the
/// member whatever the script asks, another decides. Neither sees a code: the member proves the new phone by logging in with it.
///
/// The old phone and the e-mail hear of it when it is proposed, so that whoever still has them can object. When it is done, all
/// sessions end and for some days nothing of value leaves the account, whatever code is typed.
struct RecoverPhone: Sendable {
    let database: Database
    let clock: any WallClock
    let ids: IDGenerator
    let vault: Vault
    let end: EndSessions
    let announce: AnnounceStanding
    let tell: TellMember
    let audit: RecordChanges
    private let store = PhoneRecoveryStore()

    enum Refusal: Error, Hashable {
        /// No such member or proposal, or none that waits.
        case unknown
        /// One waits for this member already.
        case waiting
        /// The phone is another member's.
        case taken
        /// Nobody decides about their own proposal.
        case samePerson
    }

    /// How long a proposal waits for its second person.
    static let patience = Duration.seconds(3 * 86_400)
    /// How long nothing of value leaves the account afterwards.
    static let hold = Duration.seconds(3 * 86_400)

    /// - Throws: ``Refusal``.
    func propose(
        _ phone: PhoneNumber, for member: Member.ID, because reason: String, by maker: Staff.ID
    ) async throws -> PhoneRecovery.ID {
        let (now, index) = (self.clock.now, self.vault.index(phone))
        let new = PhoneRecoveryStore.New(
            id: self.ids.next(), member: member, sealedPhone: try self.vault.seal(phone), phoneIndex: index,
            reason: reason, maker: maker, expiresAt: now + Self.patience)
        try await self.database.transaction { transaction in
            guard try await ProfileStore().lock(member, in: transaction) != nil else { throw Refusal.unknown }
            if let holder = try await MemberStore().find(phoneIndex: index, on: transaction), holder != member {
                throw Refusal.taken
            }
            guard try await self.store.insert(new, at: now, in: transaction) else { throw Refusal.waiting }
            try await AccessLogStore().append(
                "phone-recovery", of: member, by: maker, reason: reason, at: now, in: transaction)
            try await self.tell.security(.member(member), .phoneRecoveryAsked, in: transaction)
        }
        return new.id
    }

    /// A proposal as the second person sees it.
    struct Proposal: Sendable {
        let id: PhoneRecovery.ID
        let member: Member.ID
        /// Masked.
        let phone: String
        let reason: String
        let maker: Staff.ID
        let madeAt: Timestamp
        let expiresAt: Timestamp
    }

    /// Those that wait, the oldest first.
    func waiting() async throws -> [Proposal] {
        try await self.store.waiting(at: self.clock.now, on: self.database).map { waiting in
            let phone = try self.vault.openPhone(waiting.sealedPhone, index: waiting.phoneIndex)
            return Proposal(
                id: waiting.id, member: waiting.member, phone: phone.description, reason: waiting.reason,
                maker: waiting.maker, madeAt: waiting.madeAt, expiresAt: waiting.expiresAt)
        }
    }

    /// The second person's word.
    /// - Throws: ``Refusal``, with nothing changed.
    func decide(_ id: PhoneRecovery.ID, approves: Bool, by checker: Staff.ID) async throws {
        let now = self.clock.now
        do {
            try await self.database.transaction { transaction in
                guard let waiting = try await self.store.lock(id, at: now, in: transaction) else {
                    throw Refusal.unknown
                }
                guard waiting.maker != checker else { throw Refusal.samePerson }
                try await AccessLogStore().append(
                    approves ? "phone-recovery-approved" : "phone-recovery-refused", of: waiting.member, by: checker,
                    reason: waiting.reason, at: now, in: transaction)
                if approves { try await self.apply(waiting, by: checker, at: now, in: transaction) }
                try await self.store.decide(id, approved: approves, by: checker, at: now, in: transaction)
            }
        } catch let error as DatabaseError where error.code == .uniqueViolation {
            // Somebody has registered the phone at this very moment.
            throw Refusal.taken
        }
    }

    private func apply(
        _ waiting: PhoneRecoveryStore.Waiting, by checker: Staff.ID, at now: Timestamp,
        in transaction: borrowing Transaction
    ) async throws {
        let member = waiting.member
        guard let current = try await ProfileStore().lock(member, in: transaction) else { throw Refusal.unknown }
        let key = try self.vault.unwrap(current.wrappedKey, of: member)
        let phone = try self.vault.openPhone(waiting.sealedPhone, index: waiting.phoneIndex)
        let old = try current.sealedPhone.map { try PhoneNumber(parsing: key.open($0, field: .phone)) }
        try await self.store.dropCodes(of: member, in: transaction)
        guard
            try await PhoneChangeStore().apply(
                try key.seal(phone.e164, field: .phone), index: waiting.phoneIndex, of: member, at: now,
                in: transaction)
        else { throw Refusal.taken }
        try await StandingStore().phoneChanged(of: member, at: now, in: transaction)
        try await StandingStore().holdValue(of: member, until: now + Self.hold, in: transaction)
        try await self.audit(
            [.init(field: .phone, before: old?.e164, after: phone.e164)], of: member, key: key, by: .staff(checker),
            in: transaction)
        try await self.end.all(of: member, because: .staff, in: transaction)
        try await self.announce(member, in: transaction)
        if let old { try await self.tell.security(.phone(old), .phoneChanged, in: transaction) }
        try await self.tell.security(.phone(phone), .phoneRecovered, in: transaction)
    }
}

/// Lets value leave again where the time is over that colleagues' change of the phone has set. Any number of processes may do so
/// at once.
struct ReleaseHolds: Sendable {
    let database: Database
    let clock: any WallClock
    let announce: AnnounceStanding
    private static let chunk = 200

    init(database: Database, clock: any WallClock, announce: AnnounceStanding) {
        (self.database, self.clock, self.announce) = (database, clock, announce)
    }

    /// - Returns: how many.
    @discardableResult
    func callAsFunction() async throws -> Int {
        var released = 0
        while true {
            let now = self.clock.now
            let count = try await self.database.transaction { transaction in
                let members = try await StandingStore().releaseHolds(at: now, limit: Self.chunk, in: transaction)
                for member in members { try await self.announce(member, in: transaction) }
                return members.count
            }
            released += count
            if count < Self.chunk { return released }
        }
    }
}

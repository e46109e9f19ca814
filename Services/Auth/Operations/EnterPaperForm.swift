import Contracts
import FoundationEssentials
import JobQueue
import Kernel
import Postgres

/// A clerk enters a paper form: the member's card earns at once, spending waits for the confirmation.
struct EnterPaperForm: Sendable {
    let database: Database
    let bus: Bus
    let clock: any WallClock
    let ids: IDGenerator
    let random: RandomBytes
    let vault: Vault
    let issue: IssueCard
    let announce: AnnounceStanding
    let policy: AuthPolicy
    let metrics: AuthMetrics

    /// What stands on the form.
    struct Form: Sendable {
        let number: String
        let store: StoreID
        let fullName: FullName
        let phone: PhoneNumber
        let birthday: Birthday
        let marketing: Bool
        /// The printed card that was handed out; nil for a virtual one.
        let card: CardNumber?
        /// The clerk has looked: it is another person of the same name and birthday.
        let isAnotherPerson: Bool
    }

    struct Entered: Sendable {
        let member: Member.ID
        let card: CardNumber
        let confirmAt: Timestamp
    }

    enum Refusal: Error, Hashable {
        case formNumberUsed
        /// The phone is a member's already.
        case alreadyMember
        /// Somebody of this name and birthday is a member.
        case possibleDuplicate
        case tooYoung
        /// No printed card of this number, or one that is taken.
        case card
    }

    /// Calendar days from the entry to the confirmation by time.
    static let waitingDays: Int64 = 20

    /// - Throws: ``Refusal``, with nothing written.
    func callAsFunction(_ form: Form, by staff: Staff.ID) async throws -> Entered {
        let now = self.clock.now
        guard form.birthday.isOldEnough(at: now) else { throw Refusal.tooYoung }
        let id: Member.ID = self.ids.next()
        let (key, wrapped) = try self.vault.makeMemberKey(for: id, random: self.random)
        let identity = self.vault.index(form.fullName, form.birthday)
        let member = MemberStore.NewMember(
            id: id, source: .paper, wrappedKey: wrapped, sealedName: try key.seal(form.fullName),
            sealedPhone: try key.seal(form.phone.e164, field: .phone), phoneIndex: self.vault.index(form.phone),
            sealedBirthday: try key.seal(form.birthday.text, field: .birthday), identity: identity)
        let confirmAt = MoscowTime.midnight(Self.waitingDays, after: now)
        let card = try await self.database.transaction { transaction in
            if !form.isAnotherPerson {
                guard try await RegistrationStore().twin(of: identity, in: transaction) == nil else {
                    throw Refusal.possibleDuplicate
                }
            }
            guard try await MemberStore().insert(member, at: now, in: transaction) else {
                throw Refusal.alreadyMember
            }
            let paper = RegistrationStore.PaperForm(
                number: form.number, store: form.store, staff: staff, confirmAt: confirmAt)
            guard try await RegistrationStore().insert(paper, of: id, at: now, in: transaction) else {
                throw Refusal.formNumberUsed
            }
            let choices = ConsentChoices(terms: true, personalData: true, marketing: form.marketing)
            try await MemberStore().record(
                choices.records(textVersion: self.policy.consentTextVersion, source: .paper, at: now), of: id,
                in: transaction)
            try await self.announce(id, in: transaction)
            try await AnnounceBirthday(bus: self.announce.bus, clock: self.clock)(
                form.birthday, of: id, in: transaction)
            return try await self.giveCard(form.card, to: id, at: now, in: transaction)
        }
        self.metrics.membersRegistered(1, from: .paper)
        return Entered(member: id, card: card, confirmAt: confirmAt)
    }

    private func giveCard(
        _ card: CardNumber?, to member: Member.ID, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> CardNumber {
        guard let card else { return try await self.issue(to: member, at: now, in: transaction) }
        guard try await self.issue.plastic(card, to: member, at: now, in: transaction) else { throw Refusal.card }
        return card
    }
}

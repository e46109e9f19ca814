import Contracts
import FoundationEssentials
import JobQueue
import Kernel
import Postgres

/// Makes a member of whoever holds a ticket for a proved phone: personal data under a key of its own, consents, a
/// virtual card, a first session, and the news of the card, all in one transaction.
struct RegisterMember: Sendable {
    let database: Database
    let bus: Bus
    let clock: any WallClock
    let ids: IDGenerator
    let random: RandomBytes
    let vault: Vault
    let openSession: OpenSession
    let issue: IssueCard
    let policy: AuthPolicy
    let metrics: AuthMetrics

    struct Registered: Sendable {
        let member: Member.ID
        let card: CardNumber
        let tokens: Tokens
    }

    /// What the person says of themselves.
    struct Application: Sendable {
        let fullName: FullName
        var birthday: Birthday?
        let consents: ConsentChoices
        /// A printed card to activate; nil for a virtual one.
        var card: CardNumber?
    }

    enum Refusal: Error, Hashable {
        /// Unknown, expired or used: not told apart.
        case ticket
        /// Somebody registered the phone after the ticket was given. The holder has proved the phone and may know.
        case alreadyMember
        /// Required purposes that were not agreed to. The ticket stays good.
        case consentMissing([ConsentPurpose])
        /// Younger than fourteen, or not born yet. The ticket stays good.
        case tooYoung
        /// No printed card of this number, one that is taken, or too many tries. The ticket stays good for a virtual one.
        case card
    }

    /// Wrong card numbers that one proved phone may name: fewer than would help anybody to guess one.
    static let cardFailuresMax = 5

    /// - Throws: ``Refusal``, with nothing written but that a card was wrong.
    func callAsFunction(
        ticket: OpaqueToken, _ application: Application, device: DeviceName
    ) async throws -> Registered {
        let missing = application.consents.missing
        guard missing.isEmpty else { throw Refusal.consentMissing(missing) }
        let now = self.clock.now
        if let birthday = application.birthday {
            guard birthday.isOldEnough(at: now) else { throw Refusal.tooYoung }
        }
        if application.card != nil {
            // Counted and committed before the card is looked for, as an attempt at a code is.
            let store = SessionStore()
            guard try await store.chargeCard(ticket: ticket, max: Self.cardFailuresMax, on: self.database) else {
                throw Refusal.card
            }
        }
        let (origin, card, grant) = try await self.database.transaction { transaction in
            guard let phone = try await SessionStore().use(ticket: ticket, at: now, in: transaction) else {
                throw Refusal.ticket
            }
            let hasDraft = try await RegistrationStore().takeDraft(
                phoneIndex: phone.phoneIndex, at: now, in: transaction)
            let origin: MemberOrigin = application.card != nil ? .plasticCard : hasDraft ? .support : .web
            let member = try self.seal(
                application, from: origin,
                phone: try self.vault.openPhone(phone.sealedPhone, index: phone.phoneIndex), index: phone.phoneIndex)
            guard try await MemberStore().insert(member, at: now, in: transaction) else {
                throw Refusal.alreadyMember
            }
            let card = try await self.join(member.id, application, from: origin, at: now, in: transaction)
            return (origin, card, try await self.openSession(member.id, device: device, in: transaction))
        }
        self.metrics.membersRegistered(1, from: origin)
        return Registered(
            member: grant.member, card: card, tokens: try await self.openSession.tokens(for: grant))
    }

    /// Consents, a card, and the news.
    private func join(
        _ member: Member.ID, _ application: Application, from origin: MemberOrigin, at now: Timestamp,
        in transaction: borrowing Transaction
    ) async throws -> CardNumber {
        let records = application.consents.records(
            textVersion: self.policy.consentTextVersion, source: origin.consentSource, at: now)
        try await MemberStore().record(records, of: member, in: transaction)
        try await self.bus.publish(MemberJoined(member: member, way: origin.way, joinedAt: now), in: transaction)
        if let birthday = application.birthday {
            try await AnnounceBirthday(bus: self.bus, clock: self.clock)(birthday, of: member, in: transaction)
        }
        guard let card = application.card else {
            return try await self.issue(to: member, at: now, in: transaction)
        }
        guard try await self.issue.plastic(card, to: member, at: now, in: transaction) else { throw Refusal.card }
        return card
    }

    private func seal(
        _ application: Application, from origin: MemberOrigin, phone: PhoneNumber, index: [UInt8]
    ) throws -> MemberStore.NewMember {
        let id: Member.ID = self.ids.next()
        let (key, wrapped) = try self.vault.makeMemberKey(for: id, random: self.random)
        return MemberStore.NewMember(
            id: id, source: origin, wrappedKey: wrapped, sealedName: try key.seal(application.fullName),
            sealedPhone: try key.seal(phone.e164, field: .phone), phoneIndex: index,
            sealedBirthday: try application.birthday.map { try key.seal($0.text, field: .birthday) },
            identity: application.birthday.map { self.vault.index(application.fullName, $0) })
    }
}

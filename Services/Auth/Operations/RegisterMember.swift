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
    let policy: AuthPolicy
    let metrics: AuthMetrics

    struct Registered: Sendable {
        let member: Member.ID
        let card: CardNumber
        let tokens: Tokens
    }

    enum Refusal: Error, Hashable {
        /// Unknown, expired or used: not told apart.
        case ticket
        /// Somebody registered the phone after the ticket was given. The holder has proved the phone and may know.
        case alreadyMember
        /// Required purposes that were not agreed to. The ticket stays good.
        case consentMissing([ConsentPurpose])
    }

    /// - Throws: ``Refusal``, with nothing written.
    func callAsFunction(
        ticket: OpaqueToken, fullName: FullName, consents: ConsentChoices, device: DeviceName
    ) async throws -> Registered {
        guard consents.missing.isEmpty else { throw Refusal.consentMissing(consents.missing) }
        let now = self.clock.now
        let (card, grant) = try await self.database.transaction { transaction in
            guard let phone = try await SessionStore().use(ticket: ticket, at: now, in: transaction) else {
                throw Refusal.ticket
            }
            let member = try self.seal(
                fullName, phone: try self.vault.openPhone(phone.sealedPhone, index: phone.phoneIndex),
                phoneIndex: phone.phoneIndex)
            let store = MemberStore()
            guard try await store.insert(member, at: now, in: transaction) else { throw Refusal.alreadyMember }
            let records = consents.records(textVersion: self.policy.consentTextVersion, source: .web, at: now)
            try await store.record(records, of: member.id, in: transaction)
            let card = try await self.issueCard(to: member.id, at: now, in: transaction)
            try await self.bus.publish(CardIssued(member: member.id, card: card, issuedAt: now), in: transaction)
            return (card, try await self.openSession(member.id, device: device, in: transaction))
        }
        self.metrics.membersRegistered(1, from: .web)
        return Registered(
            member: grant.member, card: card, tokens: try await self.openSession.tokens(for: grant))
    }

    private func seal(
        _ fullName: FullName, phone: PhoneNumber, phoneIndex: [UInt8]
    ) throws -> MemberStore.NewMember {
        let id: Member.ID = self.ids.next()
        let (key, wrapped) = try self.vault.makeMemberKey(for: id, random: self.random)
        return MemberStore.NewMember(
            id: id, source: .web, wrappedKey: wrapped, sealedName: try key.seal(fullName),
            sealedPhone: try key.seal(phone.e164, field: .phone), phoneIndex: phoneIndex)
    }

    /// Card numbers are random: of 10¹⁴ one is taken now and then, and the next is tried.
    private func issueCard(
        to member: Member.ID, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> CardNumber {
        for _ in 0..<8 {
            let card = CardNumber.make(random: self.random)
            if try await MemberStore().insert(card, of: member, at: now, in: transaction) { return card }
        }
        throw NoFreeCard()
    }

    /// Eight random numbers in a row were taken: the generator is broken.
    struct NoFreeCard: Error {}
}

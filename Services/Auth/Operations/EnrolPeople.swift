import Contracts
import FoundationEssentials
import JobQueue
import Kernel
import Postgres

/// Makes members of people that another system knows, hundreds in one transaction. The reference is the natural key:
/// who is enrolled already is only found again.
///
/// A phone that is a member's already stays that member's: the newcomer is enrolled and earns, but cannot log in by it.
struct EnrolPeople: Sendable {
    let bus: Bus
    let clock: any WallClock
    let ids: IDGenerator
    let random: RandomBytes
    let vault: Vault
    let metrics: AuthMetrics

    /// The most people of one call.
    static let limit = 1000

    /// - Returns: everybody asked for, in the order of asking.
    func callAsFunction(
        _ people: [EnrolMembers.Person], in transaction: borrowing Transaction
    ) async throws -> [EnrolledMember] {
        let store = EnrolmentStore()
        let references = people.map(\.reference)
        var enrolled = try await store.find(references, in: transaction)
        let missing = people.filter { enrolled[$0.reference] == nil }
        if !missing.isEmpty {
            let now = self.clock.now
            let newcomers = try missing.map(self.prepare)
            let made = try await store.insert(newcomers, at: now, in: transaction)
            let events = newcomers.filter { made.contains($0.id) }.map { newcomer in
                CardIssued(member: newcomer.id, card: newcomer.card, issuedAt: now)
            }
            try await self.bus.publish(contentsOf: events, in: transaction)
            enrolled = try await store.find(references, in: transaction)
            let metrics = self.metrics
            transaction.afterCommit { metrics.membersRegistered(events.count, from: .importing) }
        }
        return try references.map { reference in
            guard let member = enrolled[reference] else { throw JobFailure.permanent("enrolled-member-without-card") }
            return member
        }
    }

    private func prepare(_ person: EnrolMembers.Person) throws -> EnrolmentStore.Newcomer {
        let id: Member.ID = self.ids.next()
        let (key, wrapped) = try self.vault.makeMemberKey(for: id, random: self.random)
        return EnrolmentStore.Newcomer(
            id: id, reference: person.reference, wrappedKey: wrapped, sealedName: try key.seal(person.fullName),
            sealedPhone: try key.seal(person.phone.e164, field: .phone), phoneIndex: self.vault.index(person.phone),
            card: CardNumber.make(random: self.random))
    }
}

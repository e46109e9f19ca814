import FoundationEssentials
import Kernel
import Postgres

/// Shows a member their own data.
struct ShowMember: Sendable {
    let database: Database
    let vault: Vault

    struct Profile: Sendable {
        let member: Member.ID
        let fullName: FullName
        let phone: PhoneNumber?
        let birthday: Birthday?
        /// Proved by a code.
        let email: EmailAddress?
        let favouriteStore: StoreID?
        let language: MemberLanguage
        let zone: MemberZone
        let isSpendingLocked: Bool
        /// Nothing of value leaves until then: colleagues have changed the phone.
        let valueHeldUntil: Timestamp?
        let card: CardNumber
        let registeredAt: Timestamp
        let consents: [CurrentConsent]
    }

    /// - Returns: nil when the session has ended.
    func callAsFunction(_ member: Member.ID, session: Session.ID) async throws -> Profile? {
        let store = MemberStore()
        guard let stored = try await store.profile(of: member, session: session, on: self.database) else { return nil }
        let key = try self.vault.unwrap(stored.wrappedKey, of: member)
        return Profile(
            member: member, fullName: try key.openName(stored.sealedName),
            phone: try stored.sealedPhone.map { try PhoneNumber(parsing: key.open($0, field: .phone)) },
            birthday: try stored.sealedBirthday.flatMap { Birthday(try key.open($0, field: .birthday)) },
            email: try stored.sealedEmail.flatMap { EmailAddress(try key.open($0, field: .email)) },
            favouriteStore: stored.favouriteStore, language: stored.language,
            zone: stored.zone, isSpendingLocked: stored.isSpendingLocked, valueHeldUntil: stored.valueHeldUntil,
            card: stored.card, registeredAt: stored.registeredAt,
            consents: try await store.consents(of: member, on: self.database))
    }

    /// The member's card; nil when the session has ended.
    func card(of member: Member.ID, session: Session.ID) async throws -> CardNumber? {
        try await MemberStore().profile(of: member, session: session, on: self.database)?.card
    }
}

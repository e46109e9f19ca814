import Contracts
import FoundationEssentials
import Kernel
import Postgres

/// A colleague of the support line fills in what somebody says on the phone. The caller confirms by a code to that phone,
/// which the colleague never sees: it is the code of a log-in.
struct DraftRegistration: Sendable {
    let database: Database
    let clock: any WallClock
    let ids: IDGenerator
    let vault: Vault
    let tell: TellMember

    /// How long a draft waits for its confirmation.
    static let lifetime = Duration.seconds(14 * 86_400)

    /// - Returns: nil when the phone is a member's already, which the support line may know.
    func callAsFunction(
        _ fullName: FullName, phone: PhoneNumber, by staff: Staff.ID
    ) async throws -> (draft: Registration.ID, expiresAt: Timestamp)? {
        let now = self.clock.now
        let (index, id, expiresAt) = (self.vault.index(phone), self.ids.next() as Registration.ID, now + Self.lifetime)
        return try await self.database.transaction { transaction in
            guard try await MemberStore().find(phoneIndex: index, on: transaction) == nil else { return nil }
            let draft = RegistrationStore.Draft(id: id, sealedName: try self.vault.seal(fullName, draftOf: index))
            try await RegistrationStore().save(
                draft, phoneIndex: index, by: staff, at: now, expiresAt: expiresAt, in: transaction)
            try await self.tell.phone(
                phone,
                russian: Notify.Text(
                    subject: "Регистрация в клубе",
                    body: "Анкета заполнена. Войдите в клуб по этому номеру, чтобы её подтвердить."),
                english: Notify.Text(
                    subject: "Joining the club",
                    body: "Your form is filled in. Log in with this phone number to confirm it."),
                expiresAt: expiresAt, in: transaction)
            return (id, expiresAt)
        }
    }
}

extension Vault {
    /// Seals the name in a draft, bound to its phone.
    func seal(_ name: FullName, draftOf phoneIndex: [UInt8]) throws -> [UInt8] {
        try self.seal(Array(JSONEncoder().encode(name)), at: "draft/" + Base64URL.encode(phoneIndex))
    }

    func openDraft(_ sealed: [UInt8], of phoneIndex: [UInt8]) throws -> FullName {
        let bytes = try self.open(sealed, at: "draft/" + Base64URL.encode(phoneIndex))
        return try JSONDecoder().decode(FullName.self, from: Data(bytes))
    }
}

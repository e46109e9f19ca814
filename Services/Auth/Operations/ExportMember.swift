import FoundationEssentials
import Kernel
import Postgres

/// Everything that auth knows of a member, opened (152-FZ, article 14; GDPR, article 20).
struct ExportMember: Sendable {
    let database: Database
    let vault: Vault
    let show: ShowMember

    struct Everything: Sendable {
        let profile: ShowMember.Profile
        let cards: [ExportStore.Card]
        let sessions: [ExportStore.PastSession]
        let consents: [ExportStore.Consent]
        let changes: [Change]
    }

    /// A change of the profile with its values.
    struct Change: Sendable {
        let field: String
        let before: String?
        let after: String?
        let source: String
        let changedAt: Timestamp
    }

    /// - Returns: nil when the session has ended.
    func callAsFunction(_ member: Member.ID, session: Session.ID) async throws -> Everything? {
        guard let profile = try await self.show(member, session: session),
            let wrapped = try await MemberStore().wrappedKey(of: member, on: self.database)
        else { return nil }
        let key = try self.vault.unwrap(wrapped, of: member)
        let changes = try await ProfileStore().changes(of: member, on: self.database).map { trace in
            Change(
                field: trace.field, before: try trace.before.map { try key.open($0, field: .change) },
                after: try trace.after.map { try key.open($0, field: .change) }, source: trace.source,
                changedAt: trace.changedAt)
        }
        let store = ExportStore()
        return Everything(
            profile: profile, cards: try await store.cards(of: member, on: self.database),
            sessions: try await store.sessions(of: member, on: self.database),
            consents: try await store.consents(of: member, on: self.database), changes: changes)
    }
}

import Contracts
import FoundationEssentials
import Kernel
import Postgres

/// Changes fields of a member's profile, each with a trace of who, when and what, in one transaction.
struct EditProfile: Sendable {
    let database: Database
    let clock: any WallClock
    let vault: Vault
    let audit: RecordChanges
    let announce: AnnounceStanding

    enum Refusal: Error, Hashable {
        /// Set and corrected already; support can change it.
        case birthdayFixed
        /// Younger than fourteen, or not born yet.
        case tooYoung
        /// Erased meanwhile.
        case gone
    }

    /// How often a birthday may be written: set, and corrected once.
    static let birthdayChangesMax = 2

    /// - Throws: ``Refusal``, with nothing changed.
    func callAsFunction(_ wishes: ProfileWishes, of member: Member.ID, session: Session.ID) async throws {
        try await self.database.transaction { transaction in
            guard let current = try await ProfileStore().lock(member, in: transaction) else { throw Refusal.gone }
            let key = try self.vault.unwrap(current.wrappedKey, of: member)
            var changes: [ProfileChange] = []
            changes += try await self.identity(wishes, current, of: member, key: key, in: transaction)
            if let wish = wishes.favouriteStore, wish.value != current.favouriteStore {
                try await ProfileStore().setFavouriteStore(wish.value, of: member, in: transaction)
                changes.append(
                    .init(
                        field: .favouriteStore, before: current.favouriteStore?.text, after: wish.value?.text))
            }
            if let language = wishes.language, language != current.language {
                _ = try await StandingStore().setLanguage(language, of: member, in: transaction)
                try await self.announce(member, in: transaction)
                changes.append(
                    .init(field: .language, before: current.language.rawValue, after: language.rawValue))
            }
            if let zone = wishes.zone, zone != current.zone {
                try await StandingStore().setZone(zone, of: member, in: transaction)
                changes.append(.init(field: .timeZone, before: current.zone.rawValue, after: zone.rawValue))
            }
            try await self.audit(changes, of: member, key: key, by: .member(session), in: transaction)
        }
    }

    /// Name and birthday, and the value by which a second enrolment of the same person is found.
    private func identity(
        _ wishes: ProfileWishes, _ current: ProfileStore.Locked, of member: Member.ID, key: MemberKey,
        in transaction: borrowing Transaction
    ) async throws -> [ProfileChange] {
        let now = self.clock.now
        let name = try key.openName(current.sealedName)
        let birthday = try current.sealedBirthday.flatMap { Birthday(try key.open($0, field: .birthday)) }
        let (newName, newBirthday) = (wishes.fullName ?? name, wishes.birthday ?? birthday)
        let identity = newBirthday.map { self.vault.index(newName, $0) }
        var changes: [ProfileChange] = []
        if newName != name {
            try await ProfileStore().setName(
                try key.seal(newName), identity: identity, of: member, at: now, in: transaction)
            changes.append(.init(field: .fullName, before: name.whole, after: newName.whole))
        }
        if let newBirthday, let identity, newBirthday != birthday {
            guard current.birthdayChanges < Self.birthdayChangesMax else { throw Refusal.birthdayFixed }
            guard newBirthday.isOldEnough(at: now) else { throw Refusal.tooYoung }
            try await ProfileStore().setBirthday(
                try key.seal(newBirthday.text, field: .birthday), identity: identity, of: member, at: now,
                in: transaction)
            try await AnnounceBirthday(bus: self.announce.bus, clock: self.clock)(
                newBirthday, of: member, in: transaction)
            changes.append(.init(field: .birthday, before: birthday?.text, after: newBirthday.text))
        }
        return changes
    }
}

/// Keeps the trace of changes of a profile; the values sealed with the member's own key, so that they go with it.
struct RecordChanges: Sendable {
    let clock: any WallClock

    func callAsFunction(
        _ changes: [ProfileChange], of member: Member.ID, key: MemberKey, by actor: ProfileActor,
        in transaction: borrowing Transaction
    ) async throws {
        let (source, id) =
            switch actor {
            case .member(let session): ("cabinet", session)
            case .staff(let staff): ("staff", Session.ID(staff.raw))
            }
        for change in changes {
            let trace = ProfileStore.Trace(
                field: change.field.rawValue, before: try change.before.map { try key.seal($0, field: .change) },
                after: try change.after.map { try key.seal($0, field: .change) }, source: source, actor: id,
                changedAt: self.clock.now)
            try await ProfileStore().record(trace, of: member, in: transaction)
        }
    }
}

extension FullName {
    /// As the trace of changes keeps it.
    var whole: String { [self.last, self.first, self.middle].compactMap(\.self).joined(separator: " ") }
}

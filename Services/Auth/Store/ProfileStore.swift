import Kernel
import Postgres

/// What members keep of themselves, and the trace of its changes.
struct ProfileStore: Sendable {
    /// A profile under its row lock.
    struct Locked: Sendable {
        let wrappedKey: [UInt8]
        let sealedName: [UInt8]
        let sealedPhone: [UInt8]?
        let sealedBirthday: [UInt8]?
        let sealedEmail: [UInt8]?
        let birthdayChanges: Int
        let favouriteStore: StoreID?
        let language: MemberLanguage
        let zone: MemberZone
    }

    /// nil of a member that is unknown or erased.
    func lock(_ member: Member.ID, in transaction: borrowing Transaction) async throws -> Locked? {
        let row = try await transaction.first(
            """
            select
                p.wrapped_key, p.full_name, p.phone, p.birthday, p.email, m.birthday_changes, m.favourite_store,
                m.language, m.time_zone
            from auth.member m
            join auth.personal_data p using (member_id)
            where m.member_id = \(member) and p.wrapped_key is not null
            for no key update of m, p
            """)
        guard let row else { return nil }
        return Locked(
            wrappedKey: try row.value("wrapped_key"), sealedName: try row.value("full_name"),
            sealedPhone: try row.value("phone"), sealedBirthday: try row.value("birthday"),
            sealedEmail: try row.value("email"), birthdayChanges: try row.value("birthday_changes"),
            favouriteStore: try row.value("favourite_store"), language: try row.value("language"),
            zone: try row.value("time_zone"))
    }

    func setName(
        _ sealed: [UInt8], identity: [UInt8]?, of member: Member.ID, at now: Timestamp,
        in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            update auth.personal_data
            set full_name = \(sealed), identity_index = \(identity), changed_at = \(now)
            where member_id = \(member)
            """)
    }

    /// Counts the change as well.
    func setBirthday(
        _ sealed: [UInt8], identity: [UInt8], of member: Member.ID, at now: Timestamp,
        in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            update auth.personal_data
            set birthday = \(sealed), identity_index = \(identity), changed_at = \(now)
            where member_id = \(member)
            """)
        try await transaction.execute(
            """
            update auth.member
            set birthday_changes = birthday_changes + 1
            where member_id = \(member)
            """)
    }

    func setFavouriteStore(
        _ store: StoreID?, of member: Member.ID, in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            update auth.member
            set favourite_store = \(store)
            where member_id = \(member)
            """)
    }

    /// An address that was proved, or none.
    func setEmail(
        _ sealed: [UInt8]?, of member: Member.ID, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            update auth.personal_data
            set email = \(sealed), email_verified_at = \(sealed == nil ? nil : now), changed_at = \(now)
            where member_id = \(member)
            """)
    }

    /// A change as it is kept.
    struct Trace: Sendable {
        let field: String
        let before: [UInt8]?
        let after: [UInt8]?
        let source: String
        let actor: SessionOrStaff
        let changedAt: Timestamp
    }

    /// Either is a UUID; `source` tells which.
    typealias SessionOrStaff = Session.ID

    func record(_ trace: Trace, of member: Member.ID, in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            """
            insert into auth.profile_change (member_id, field, before, after, source, actor, changed_at)
            values
                (\(member), \(trace.field), \(trace.before), \(trace.after), \(trace.source), \(trace.actor),
                 \(trace.changedAt))
            """)
    }

    /// Every change, the oldest first.
    func changes(of member: Member.ID, on database: Database) async throws -> [Trace] {
        try await database.query(
            """
            select field, before, after, source, actor, changed_at
            from auth.profile_change
            where member_id = \(member)
            order by change_id
            """
        ).map { row in
            let (field, before, after, source, actor, changedAt) = try row.decode(
                String.self, [UInt8]?.self, [UInt8]?.self, String.self, Session.ID.self, Timestamp.self)
            return Trace(
                field: field, before: before, after: after, source: source, actor: actor, changedAt: changedAt)
        }
    }
}

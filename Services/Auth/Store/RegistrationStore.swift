import Kernel
import Postgres

/// Drafts and paper forms.
struct RegistrationStore: Sendable {
    /// A draft of the support line.
    struct Draft: Sendable {
        let id: Draft.ID
        let sealedName: [UInt8]

        typealias ID = Registration.ID
    }

    /// A newer draft for the same phone takes the place of the one before.
    func save(
        _ draft: Draft, phoneIndex: [UInt8], by staff: Staff.ID, at now: Timestamp, expiresAt: Timestamp,
        in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            insert into auth.registration_draft (draft_id, phone_index, full_name, staff_id, created_at, expires_at)
            values (\(draft.id), \(phoneIndex), \(draft.sealedName), \(staff), \(now), \(expiresAt))
            on conflict (phone_index) do update
            set draft_id = excluded.draft_id, full_name = excluded.full_name, staff_id = excluded.staff_id,
                created_at = excluded.created_at, expires_at = excluded.expires_at
            """)
    }

    func draft<Runner: QueryRunner & ~Copyable>(
        phoneIndex: [UInt8], at now: Timestamp, on runner: borrowing Runner
    ) async throws -> Draft? {
        let row = try await runner.first(
            """
            select draft_id, full_name
            from auth.registration_draft
            where phone_index = \(phoneIndex) and expires_at > \(now)
            """)
        guard let row else { return nil }
        let (id, name) = try row.decode(Draft.ID.self, [UInt8].self)
        return Draft(id: id, sealedName: name)
    }

    /// A draft is gone with the registration of its phone.
    /// - Returns: whether there was one.
    func takeDraft(phoneIndex: [UInt8], at now: Timestamp, in transaction: borrowing Transaction) async throws -> Bool {
        try await transaction.execute(
            """
            delete from auth.registration_draft
            where phone_index = \(phoneIndex) and expires_at > \(now)
            """) == 1
    }

    /// A paper form as it is entered.
    struct PaperForm: Sendable {
        let number: String
        let store: StoreID
        let staff: Staff.ID
        let confirmAt: Timestamp
    }

    /// false when a form of this number was entered before.
    func insert(
        _ form: PaperForm, of member: Member.ID, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> Bool {
        try await transaction.execute(
            """
            insert into auth.paper_form (member_id, form_number, store, staff_id, entered_at, confirm_at)
            values (\(member), \(form.number), \(form.store), \(form.staff), \(now), \(form.confirmAt))
            on conflict (form_number) do nothing
            """) == 1
    }

    /// Who confirmed a form.
    enum Confirmation: String, Sendable {
        case sms
        case time
    }

    /// Confirms a member's form; false when there is none that waits.
    func confirm(
        _ member: Member.ID, by confirmation: Confirmation, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> Bool {
        let confirmed = try await transaction.execute(
            """
            update auth.paper_form
            set confirmed_at = \(now), confirmed_by = \(confirmation.rawValue)
            where member_id = \(member) and confirmed_at is null
            """)
        guard confirmed == 1 else { return false }
        return try await transaction.execute(
            """
            update auth.member
            set state = 'active'
            where member_id = \(member) and state = 'pending'
            """) == 1
    }

    /// Members whose forms are confirmed by time now, locked; those that somebody else is at work on are left out.
    func due(at now: Timestamp, limit: Int, in transaction: borrowing Transaction) async throws -> [Member.ID] {
        try await transaction.query(
            """
            select member_id
            from auth.paper_form
            where confirmed_at is null and confirm_at <= \(now)
            order by confirm_at, member_id
            limit \(limit)
            for update skip locked
            """
        ).map { try $0.decode(Member.ID.self) }
    }

    /// Another member with the same name and birthday.
    func twin(
        of identity: [UInt8], in transaction: borrowing Transaction
    ) async throws -> Member.ID? {
        try await transaction.first(
            """
            select member_id
            from auth.personal_data
            where identity_index = \(identity)
            limit 1
            """)?.decode(Member.ID.self)
    }
}

/// A registration that waits for its confirmation.
enum Registration {
    /// Given by auth.
    typealias ID = Identifier<Registration>
}

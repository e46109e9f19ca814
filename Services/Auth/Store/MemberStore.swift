import Kernel
import Postgres

/// Members, their sealed personal data, their cards and their consents.
struct MemberStore: Sendable {
    /// Everything of a new member that is written in one go.
    struct NewMember: Sendable {
        let id: Member.ID
        let source: MemberOrigin
        let wrappedKey: [UInt8]
        let sealedName: [UInt8]
        let sealedPhone: [UInt8]
        let phoneIndex: [UInt8]
        var sealedBirthday: [UInt8]?
        var identity: [UInt8]?
    }

    /// Whose phone it is, while they are a member.
    func find<Runner: QueryRunner & ~Copyable>(
        phoneIndex: [UInt8], on runner: borrowing Runner
    ) async throws -> Member.ID? {
        try await runner.first(
            """
            select member_id
            from auth.personal_data
            where phone_index = \(phoneIndex)
            """)?.decode(Member.ID.self)
    }

    /// A member's phone, sealed.
    struct HeldPhone: Sendable {
        let member: Member.ID
        let wrappedKey: [UInt8]
        let sealedPhone: [UInt8]
        let phoneIndex: [UInt8]
    }

    /// nil for a card that is nobody's, is blocked, or whose member cannot log in by phone.
    func phone(of card: CardNumber, in transaction: borrowing Transaction) async throws -> HeldPhone? {
        let row = try await transaction.first(
            """
            select c.member_id, p.wrapped_key, p.phone, p.phone_index
            from auth.card c
            join auth.personal_data p using (member_id)
            where c.card = \(card)
                and c.state = 'active'
                and p.wrapped_key is not null
                and p.phone is not null
                and p.phone_index is not null
            """)
        guard let row else { return nil }
        let (member, wrappedKey, phone, phoneIndex) = try row.decode(
            Member.ID.self, [UInt8].self, [UInt8].self, [UInt8].self)
        return HeldPhone(member: member, wrappedKey: wrappedKey, sealedPhone: phone, phoneIndex: phoneIndex)
    }

    /// nil of a member that is unknown, erased, or cannot log in by phone.
    func phone(of member: Member.ID, on database: Database) async throws -> HeldPhone? {
        let row = try await database.first(
            """
            select wrapped_key, phone, phone_index
            from auth.personal_data
            where member_id = \(member)
                and wrapped_key is not null
                and phone is not null
                and phone_index is not null
            """)
        guard let row else { return nil }
        let (wrappedKey, phone, phoneIndex) = try row.decode([UInt8].self, [UInt8].self, [UInt8].self)
        return HeldPhone(member: member, wrappedKey: wrappedKey, sealedPhone: phone, phoneIndex: phoneIndex)
    }

    /// The key of a member's personal data; nil of a member that is unknown or erased.
    func wrappedKey(of member: Member.ID, on database: Database) async throws -> [UInt8]? {
        try await database.first(
            """
            select wrapped_key
            from auth.personal_data
            where member_id = \(member)
            """)?.decode([UInt8]?.self) ?? nil
    }

    /// Writes the member and the personal data. Of two registrations of one phone the second waits here for the first.
    /// - Returns: false when the phone is a member's already; the caller then rolls back.
    func insert(_ new: NewMember, at now: Timestamp, in transaction: borrowing Transaction) async throws -> Bool {
        try await transaction.execute(
            """
            insert into auth.member (member_id, state, registered_via, registered_at, birthday_changes)
            values
                (\(new.id), \(new.source == .paper ? "pending" : "active"), \(new.source.rawValue), \(now),
                 \(new.sealedBirthday == nil ? 0 : 1))
            """)
        return try await transaction.execute(
            """
            insert into auth.personal_data
                (member_id, wrapped_key, full_name, phone, phone_index, birthday, identity_index, changed_at)
            values
                (\(new.id), \(new.wrappedKey), \(new.sealedName), \(new.sealedPhone), \(new.phoneIndex),
                 \(new.sealedBirthday), \(new.identity), \(now))
            on conflict (phone_index) do nothing
            """) == 1
    }

    /// Gives the member a virtual card; false when the number is taken.
    func insert(
        _ card: CardNumber, of member: Member.ID, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> Bool {
        try await transaction.execute(
            """
            insert into auth.card (card, member_id, kind, state, issued_at)
            values (\(card), \(member), 'virtual', 'active', \(now))
            on conflict (card) do nothing
            """) == 1
    }

    /// - Returns: those that were good until now.
    func blockCards(of member: Member.ID, in transaction: borrowing Transaction) async throws -> [CardNumber] {
        try await transaction.query(
            """
            update auth.card
            set state = 'blocked'
            where member_id = \(member) and state = 'active'
            returning card
            """
        ).map { try $0.decode(CardNumber.self) }
    }

    /// Appends to the consent ledger.
    func record(
        _ consents: [ConsentRecord], of member: Member.ID, in transaction: borrowing Transaction
    ) async throws {
        for consent in consents {
            try await transaction.execute(
                """
                insert into auth.consent
                    (member_id, purpose, channel, text_version, granted, source, recorded_at)
                values
                    (\(member), \(consent.purpose.rawValue), \(consent.channel.rawValue), \(consent.textVersion),
                     \(consent.isGranted), \(consent.source.rawValue), \(consent.recordedAt))
                """)
        }
    }

    /// A member's own data as stored.
    struct StoredProfile: Sendable {
        let registeredAt: Timestamp
        let wrappedKey: [UInt8]
        let sealedName: [UInt8]
        let sealedPhone: [UInt8]?
        let sealedBirthday: [UInt8]?
        let sealedEmail: [UInt8]?
        let favouriteStore: StoreID?
        let language: MemberLanguage
        let zone: MemberZone
        let isSpendingLocked: Bool
        let valueHeldUntil: Timestamp?
        let card: CardNumber
    }

    /// The member behind a session that has not ended; nil when it has, or the member was erased.
    func profile(
        of member: Member.ID, session: Session.ID, on database: Database
    ) async throws -> StoredProfile? {
        let row = try await database.first(
            """
            select
                m.registered_at, p.wrapped_key, p.full_name, p.phone, p.birthday, p.email, m.favourite_store, m.language,
                m.time_zone, m.is_spending_locked, m.value_held_until, c.card
            from auth.session s
            join auth.member m using (member_id)
            join auth.personal_data p using (member_id)
            join lateral (
                select card
                from auth.card
                where member_id = m.member_id and state = 'active'
                order by issued_at desc, card
                limit 1
            ) c on true
            where s.session_id = \(session)
                and s.member_id = \(member)
                and s.revoked_at is null
                and p.wrapped_key is not null
            """)
        guard let row else { return nil }
        return StoredProfile(
            registeredAt: try row.value("registered_at"), wrappedKey: try row.value("wrapped_key"),
            sealedName: try row.value("full_name"), sealedPhone: try row.value("phone"),
            sealedBirthday: try row.value("birthday"), sealedEmail: try row.value("email"),
            favouriteStore: try row.value("favourite_store"), language: try row.value("language"),
            zone: try row.value("time_zone"), isSpendingLocked: try row.value("is_spending_locked"),
            valueHeldUntil: try row.value("value_held_until"), card: try row.value("card"))
    }

    /// The newest choice of each purpose and channel.
    func consents(of member: Member.ID, on database: Database) async throws -> [CurrentConsent] {
        try await database.query(
            """
            select distinct on (purpose, channel) purpose, channel, granted, text_version, recorded_at
            from auth.consent
            where member_id = \(member)
            order by purpose, channel, consent_id desc
            """
        ).map { row in
            let (purpose, channel, granted, version, recordedAt) = try row.decode(
                String.self, String.self, Bool.self, String.self, Timestamp.self)
            return CurrentConsent(
                purpose: purpose, channel: channel, granted: granted, textVersion: version, recordedAt: recordedAt)
        }
    }

    /// Whose card it is, also while a paper form waits: the card earns. nil for a number that is nobody's or blocked.
    func find(card: CardNumber, in transaction: borrowing Transaction) async throws -> Member.ID? {
        try await transaction.first(
            """
            select c.member_id
            from auth.card c
            join auth.member m using (member_id)
            where c.card = \(card) and c.state = 'active' and m.state <> 'erased'
            """)?.decode(Member.ID.self)
    }
}

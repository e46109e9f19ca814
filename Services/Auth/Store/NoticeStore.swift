import Contracts
import FoundationEssentials
import Kernel
import Postgres

/// What is told to people, and how far it came.
struct NoticeStore: Sendable {
    /// A thing told, as it stands.
    struct Stored: Sendable {
        let state: NoticeState
        let channel: Notify.Channel?
        /// When its way was chosen; nil while it waits for a choice.
        let chosenAt: Timestamp?
    }

    /// Writes it down the first time, and gives how it stands under its row lock.
    func admit(
        _ id: Notice.ID, to member: Member.ID?, purpose: Notify.Purpose, at now: Timestamp,
        in transaction: borrowing Transaction
    ) async throws -> Stored {
        try await transaction.execute(
            """
            insert into auth.notification (notice_id, member_id, purpose, created_at, changed_at)
            select \(id), (select member_id from auth.member where member_id = \(member)), \(purpose.rawValue),
                \(now), \(now)
            on conflict (notice_id) do nothing
            """)
        let row = try await transaction.one(
            """
            select state, channel, chosen_at
            from auth.notification
            where notice_id = \(id)
            for update
            """)
        let (state, channel, chosenAt) = try row.decode(NoticeState.self, String?.self, Timestamp?.self)
        return Stored(state: state, channel: channel.flatMap { Notify.Channel(rawValue: $0) }, chosenAt: chosenAt)
    }

    /// What is known of a member as somebody to tell something to.
    struct Person: Sendable {
        let state: String
        let language: String
        let zone: MemberZone
        let wrappedKey: [UInt8]?
        let sealedPhone: [UInt8]?
        let sealedEmail: [UInt8]?
    }

    /// A member under the row lock, so that what is told to one member is judged one after the other; nil when there is
    /// no such member.
    func lock(_ member: Member.ID, in transaction: borrowing Transaction) async throws -> Person? {
        let row = try await transaction.first(
            """
            select m.state, m.language, m.time_zone, p.wrapped_key, p.phone, p.email
            from auth.member m
            left join auth.personal_data p using (member_id)
            where m.member_id = \(member)
            for no key update of m
            """)
        guard let row else { return nil }
        let (state, language, zone, key, phone, email) = try row.decode(
            String.self, String.self, MemberZone.self, [UInt8]?.self, [UInt8]?.self, [UInt8]?.self)
        return Person(
            state: state, language: language, zone: zone, wrappedKey: key, sealedPhone: phone, sealedEmail: email)
    }

    /// The ways that the member's newest choices about a purpose agree to.
    func agreed(
        _ member: Member.ID, to purpose: String, in transaction: borrowing Transaction
    ) async throws -> Set<Notify.Channel> {
        let rows = try await transaction.query(
            """
            select channel
            from (
                select distinct on (channel) channel, granted
                from auth.consent
                where member_id = \(member) and purpose = \(purpose)
                order by channel, consent_id desc
            ) newest
            where granted
            """)
        let words = try rows.map { try $0.decode(String.self) }
        if words.contains("any") { return Set(Notify.Channel.allCases) }
        return Set(words.compactMap { Notify.Channel(rawValue: $0) })
    }

    /// How much of a purpose a member was told within a day and a week.
    func counts(
        _ member: Member.ID, _ purpose: Notify.Purpose, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> (day: Int, week: Int) {
        let row = try await transaction.one(
            """
            select count(*) filter (where chosen_at > \(now - .seconds(86_400))), count(*)
            from auth.notification
            where member_id = \(member) and purpose = \(purpose.rawValue) and chosen_at > \(now - .seconds(7 * 86_400))
            """)
        let (day, week) = try row.decode(Int.self, Int.self)
        return (day, week)
    }

    func choose(
        _ channel: Notify.Channel, for id: Notice.ID, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            update auth.notification
            set channel = \(channel.rawValue), chosen_at = \(now), changed_at = \(now)
            where notice_id = \(id)
            """)
    }

    func suppress(
        _ id: Notice.ID, because reason: NoticePolicy.Suppression, at now: Timestamp,
        in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            update auth.notification
            set state = \(NoticeState.suppressed), reason = \(reason.rawValue), changed_at = \(now)
            where notice_id = \(id) and state = \(NoticeState.waiting)
            """)
    }

    /// Raises the state; a report that is older or repeated changes nothing.
    /// - Returns: the way it went, when the state rose.
    func advance(
        _ id: Notice.ID, to state: NoticeState, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> Notify.Channel? {
        let row = try await transaction.first(
            """
            update auth.notification
            set state = \(state), changed_at = \(now)
            where notice_id = \(id) and state < \(state) and channel is not null
            returning channel
            """)
        guard let row else { return nil }
        return Notify.Channel(rawValue: try row.decode(String.self))
    }

    /// Deletes what nobody asks about any more.
    func purge(createdBefore edge: Timestamp, on database: Database) async throws -> Int {
        try await database.execute("delete from auth.notification where created_at <= \(edge)")
    }
}

extension NoticeState: PostgresWrapper {}

import Contracts
import Kernel
import Postgres

/// What decides whether a member may spend.
struct StandingStore: Sendable {
    /// nil of a member that is unknown or erased.
    func find<Runner: QueryRunner & ~Copyable>(
        _ member: Member.ID, on runner: borrowing Runner
    ) async throws -> MemberStanding? {
        let row = try await runner.first(
            """
            select
                state = 'active', is_spending_locked or value_held_until is not null, phone_changed_at, language
            from auth.member
            where member_id = \(member) and state <> 'erased'
            """)
        guard let row else { return nil }
        let (isActive, isLocked, phoneChangedAt, language) = try row.decode(
            Bool.self, Bool.self, Timestamp?.self, String.self)
        return MemberStanding(
            isActive: isActive, isSpendingLocked: isLocked, phoneChangedAt: phoneChangedAt, language: language)
    }

    /// Turns the lock; false when it stands so already.
    func lockSpending(_ isLocked: Bool, of member: Member.ID, in transaction: borrowing Transaction) async throws
        -> Bool
    {
        try await transaction.execute(
            """
            update auth.member
            set is_spending_locked = \(isLocked)
            where member_id = \(member) and is_spending_locked <> \(isLocked)
            """) == 1
    }

    /// Keeps value in the account until a moment, beside what the member has locked.
    func holdValue(of member: Member.ID, until end: Timestamp, in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            """
            update auth.member
            set value_held_until = \(end)
            where member_id = \(member)
            """)
    }

    /// Takes holds away whose time is over; those that somebody else is at work on are left out.
    func releaseHolds(
        at now: Timestamp, limit: Int, in transaction: borrowing Transaction
    ) async throws -> [Member.ID] {
        try await transaction.query(
            """
            update auth.member
            set value_held_until = null
            where member_id in (
                select member_id
                from auth.member
                where value_held_until <= \(now)
                order by member_id
                limit \(limit)
                for no key update skip locked
            )
            returning member_id
            """
        ).map { try $0.decode(Member.ID.self) }
    }

    func setZone(_ zone: MemberZone, of member: Member.ID, in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            """
            update auth.member
            set time_zone = \(zone.rawValue)
            where member_id = \(member)
            """)
    }

    func phoneChanged(of member: Member.ID, at now: Timestamp, in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            """
            update auth.member
            set phone_changed_at = \(now)
            where member_id = \(member)
            """)
    }

    func setLanguage(
        _ language: MemberLanguage, of member: Member.ID, in transaction: borrowing Transaction
    ) async throws -> Bool {
        try await transaction.execute(
            """
            update auth.member
            set language = \(language)
            where member_id = \(member) and language <> \(language)
            """) == 1
    }
}

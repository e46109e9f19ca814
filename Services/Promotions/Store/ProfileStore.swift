import Kernel
import Postgres

/// What promotions knows of members beside what they buy: choices, segments, levels, standing.
struct ProfileStore: Sendable {
    struct Level: Sendable {
        let name: String
        let title: Title
        let favourites: Int16
        /// The month whose turnover decided it; nil for a member who was never judged.
        let month: CivilDate?
        let turnover: Kopecks
    }

    /// A member's level; the lowest for one who was never judged.
    func level(of member: Member.ID, in runner: borrowing some QueryRunner & ~Copyable) async throws -> Level {
        let row = try await runner.one(
            """
            select level.level, title_ru, title_en, favourites, mine.month, coalesce(mine.turnover, 0)
            from promotions.level
            left join promotions.member_level as mine on mine.level = level.level and mine.member_id = \(member)
            where mine.level is not null
                or not exists (select from promotions.member_level where member_id = \(member))
            order by turnover_from
            limit 1
            """)
        let (name, russian, english, favourites, month, turnover) = try row.decode(
            String.self, String.self, String.self, Int16.self, CivilDate?.self, Kopecks.self)
        return Level(
            name: name, title: Title(russian: russian, english: english), favourites: favourites, month: month,
            turnover: turnover)
    }

    func isProfiled(_ member: Member.ID, in runner: borrowing some QueryRunner & ~Copyable) async throws -> Bool {
        try await runner.first("select is_profiled from promotions.member_profile where member_id = \(member)")?
            .decode(Bool.self) ?? true
    }

    /// What a member has decided about being looked at.
    struct Profiling: Sendable {
        let member: Member.ID
        let isAllowed: Bool
        let since: Timestamp
    }

    /// Writes decisions down, whether they were made here or told by auth; an older one never overwrites a newer one.
    func upsert(_ decisions: [Profiling], in runner: borrowing some QueryRunner & ~Copyable) async throws {
        let latest = Dictionary(decisions.map { ($0.member, $0) }) { $0.since < $1.since ? $1 : $0 }.values
            .sorted { $0.member < $1.member }
        try await runner.execute(
            """
            insert into promotions.member_profile as profile (member_id, is_profiled, profiled_at)
            select *
            from unnest(\(latest.map(\.member)), \(latest.map(\.isAllowed)), \(latest.map(\.since)))
            on conflict (member_id) do update
            set is_profiled = excluded.is_profiled, profiled_at = excluded.profiled_at
            where profile.profiled_at is null or profile.profiled_at <= excluded.profiled_at
            """)
    }

    func segments(of member: Member.ID, in runner: borrowing some QueryRunner & ~Copyable) async throws -> [String] {
        try await runner.first("select segments from promotions.member_profile where member_id = \(member)")?
            .decode([String].self) ?? []
    }

    /// Puts members into a segment or takes them out. Gives the number of those for whom it was otherwise before.
    func setSegment(
        _ segment: String, of members: [Member.ID], isIn: Bool, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> Int {
        guard isIn else {
            return try await runner.execute(
                """
                update promotions.member_profile
                set segments = array_remove(segments, \(segment))
                where member_id = any (\(members)) and \(segment) = any (segments)
                """)
        }
        return try await runner.execute(
            """
            insert into promotions.member_profile as profile (member_id, segments)
            select member_id, array[\(segment)]
            from unnest(\(members)) as told (member_id)
            order by member_id
            on conflict (member_id) do update
            set segments = array_append(profile.segments, \(segment))
            where not \(segment) = any (profile.segments)
            """)
    }

    /// How a member stands with auth.
    struct Standing: Sendable {
        let member: Member.ID
        let isActive: Bool
        let isLocked: Bool
        let language: String
        let since: Timestamp
    }

    /// Writes standings down; an older one never overwrites a newer one.
    func upsert(_ standings: [Standing], in transaction: borrowing Transaction) async throws {
        let latest = Dictionary(standings.map { ($0.member, $0) }) { $0.since < $1.since ? $1 : $0 }.values
            .sorted { $0.member < $1.member }
        try await transaction.execute(
            """
            insert into promotions.member_profile as profile (member_id, is_active, is_locked, language, standing_at)
            select *
            from unnest(
                \(latest.map(\.member)), \(latest.map(\.isActive)), \(latest.map(\.isLocked)),
                \(latest.map(\.language)), \(latest.map(\.since))
            )
            on conflict (member_id) do update
            set is_active = excluded.is_active, is_locked = excluded.is_locked, language = excluded.language,
                standing_at = excluded.standing_at
            where profile.standing_at is null or profile.standing_at < excluded.standing_at
            """)
    }

    /// Writes birthdays down; an older telling never overwrites a newer one, and who is erased has none.
    func upsert(
        _ birthdays: [(member: Member.ID, birthday: Birthday, since: Timestamp)], in transaction: borrowing Transaction
    ) async throws {
        let latest = Dictionary(birthdays.map { ($0.member, $0) }) { $0.since < $1.since ? $1 : $0 }.values
            .sorted { $0.member < $1.member }
        try await transaction.execute(
            """
            insert into promotions.member_profile as profile (member_id, birth_month, birth_day, birthday_at)
            select *
            from unnest(
                \(latest.map(\.member)), \(latest.map { Int16(clamping: $0.birthday.month) }),
                \(latest.map { Int16(clamping: $0.birthday.day) }), \(latest.map(\.since))
            )
            on conflict (member_id) do update
            set birth_month = excluded.birth_month, birth_day = excluded.birth_day,
                birthday_at = excluded.birthday_at
            where profile.birthday_at is null or profile.birthday_at < excluded.birthday_at
            """)
    }

    /// Whether a member may spend, as far as has been heard.
    func maySpend(_ member: Member.ID, in runner: borrowing some QueryRunner & ~Copyable) async throws -> Bool {
        try await runner.first(
            "select is_active and not is_locked from promotions.member_profile where member_id = \(member)")?
            .decode(Bool.self) ?? true
    }

    /// Destroys what says something about a person. Receipts, coupons and their counters keep the pseudonymous id.
    func erase(_ members: [Member.ID], in transaction: borrowing Transaction) async throws {
        // Items, members and invitations of a list go with it.
        try await transaction.execute("delete from promotions.shopping_list where owner_id = any (\(members))")
        try await transaction.execute("delete from promotions.shopping_list_member where member_id = any (\(members))")
        try await transaction.execute("delete from promotions.favourite_product where member_id = any (\(members))")
        try await transaction.execute("delete from promotions.favourite_category where member_id = any (\(members))")
        try await transaction.execute("delete from promotions.member_level where member_id = any (\(members))")
        try await transaction.execute("delete from promotions.rule_use where member_id = any (\(members))")
        try await GiftStore().erase(members, in: transaction)
        // Answers to requests: whose they were stands in the name of who asked.
        try await transaction.execute(
            """
            delete from promotions.idempotency_key
            where principal = any (\(members.map { "member:\($0)" }))
            """)
        // Nobody spends any more, whatever token is still around; the row keeps nothing else.
        try await transaction.execute(
            """
            insert into promotions.member_profile (
                member_id, is_profiled, profiled_at, is_active, is_locked, birthday_at, standing_at
            )
            select member_id, false, 'infinity', false, true, 'infinity', 'infinity'
            from unnest(\(members)) as gone (member_id)
            order by member_id
            on conflict (member_id) do update
            set segments = '{}', birth_month = null, birth_day = null, birthday_at = 'infinity', is_profiled = false,
                profiled_at = 'infinity', is_active = false, is_locked = true, standing_at = 'infinity'
            """)
        // After the mark above, which keeps late news of a card out. A card that nobody has earns nothing.
        try await transaction.execute("delete from promotions.member_card where member_id = any (\(members))")
    }

    /// Members with receipts in a month, judged a thousand at a time after `last`. Gives the last of them; nil when there
    /// are no more.
    func judgeLevels(
        of month: CivilDate, after last: Member.ID?, in transaction: borrowing Transaction
    ) async throws -> Member.ID? {
        let from = month.start(offsetMinutes: LocalTime.moscowMinutes)
        let to = month.firstOfNextMonth.start(offsetMinutes: LocalTime.moscowMinutes)
        let row = try await transaction.first(
            """
            with spent as (
                select member_id, sum(total) as total
                from promotions.receipt
                where sold_at >= \(from) and sold_at < \(to) and (\(last)::uuid is null or member_id > \(last))
                group by member_id
                order by member_id
                limit 1000
            ), back as (
                select goods.member_id, sum(line.amount) as total
                from promotions.goods_return as goods
                join promotions.goods_return_line as line using (return_id)
                where goods.member_id in (select member_id from spent) and goods.state in ('posting', 'done')
                    and goods.sold_at >= \(from) and goods.sold_at < \(to)
                group by goods.member_id
            ), turnover as (
                select member_id, (spent.total - coalesce(back.total, 0))::bigint as turnover
                from spent
                left join back using (member_id)
            ), written as (
                insert into promotions.member_level as mine (member_id, level, month, turnover)
                select
                    member_id,
                    (
                        select level
                        from promotions.level
                        where turnover_from <= turnover
                        order by turnover_from desc
                        limit 1
                    ),
                    \(month), turnover
                from turnover
                order by member_id
                on conflict (member_id) do update
                set level = excluded.level, month = excluded.month, turnover = excluded.turnover
                where mine.month <= excluded.month
            )
            select member_id
            from spent
            order by member_id desc
            limit 1
            """)
        return try row?.decode(Member.ID.self)
    }

    /// Members who bought nothing in the month begin again.
    func lowerIdle(since month: CivilDate, in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            """
            update promotions.member_level
            set level = (select level from promotions.level order by turnover_from limit 1), turnover = 0,
                month = \(month)
            where month < \(month)
            """)
    }
}

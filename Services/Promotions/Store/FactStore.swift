import FoundationEssentials
import Kernel
import Postgres

/// What the rules ask of members and shops. Each question is one statement for many sales.
struct FactStore: Sendable {
    /// A sale whose facts are looked up.
    struct Subject: Sendable {
        let member: Member.ID
        let sale: Sale
    }

    /// Level, segments and birthday.
    func addProfiles(
        to facts: inout [MemberFacts], in runner: borrowing some QueryRunner & ~Copyable
    ) async throws {
        let rows = try await runner.query(
            """
            select member_id, level.level, coalesce(segments, '{}'), birth_month, birth_day
            from unnest(\(facts.map(\.member))) as wanted (member_id)
            left join promotions.member_profile using (member_id)
            left join promotions.member_level as level using (member_id)
            """
        ).map { try $0.decode(Member.ID.self, String?.self, [String].self, Int16?.self, Int16?.self) }
        let known = Dictionary(rows.map { ($0.0, $0) }) { $1 }
        for index in facts.indices {
            guard let row = known[facts[index].member] else { continue }
            facts[index].level = row.1
            facts[index].segments = Set(row.2)
            if let month = row.3, let day = row.4 {
                facts[index].birthday = Birthday(month: Int64(month), day: Int64(day))
            }
        }
    }

    /// The zones of the shops.
    func addZones(
        to facts: inout [MemberFacts], of sales: [Sale], in runner: borrowing some QueryRunner & ~Copyable
    ) async throws {
        let rows = try await runner.query(
            "select store_id, utc_offset from promotions.store where store_id = any (\(sales.map(\.store.text)))"
        ).map { try $0.decode(String.self, Int16.self) }
        let offsets = Dictionary(rows) { $1 }
        for index in facts.indices {
            facts[index].offsetMinutes = Int64(offsets[sales[index].store.text] ?? Int16(LocalTime.moscowMinutes))
        }
    }

    /// Which receipt of the month each sale is, counted by the time of sale, so that it does not matter when receipts
    /// arrive that were sold before.
    func addVisits(
        to facts: inout [MemberFacts], of sales: [Sale], in runner: borrowing some QueryRunner & ~Copyable
    ) async throws {
        let starts = sales.map {
            LocalTime($0.at, offsetMinutes: LocalTime.moscowMinutes).date.firstOfMonth
                .start(offsetMinutes: LocalTime.moscowMinutes)
        }
        let rows = try await runner.query(
            """
            select (
                select count(*)
                from promotions.receipt
                where receipt.member_id = wanted.member_id and sold_at >= wanted.starts and sold_at < wanted.sold_at
            )
            from unnest(\(facts.map(\.member)), \(starts), \(sales.map(\.at)))
                with ordinality as wanted (member_id, starts, sold_at, place)
            order by place
            """)
        for (index, row) in rows.enumerated() { facts[index].visit = try row.decode(Int64.self) + 1 }
    }

    /// What the members had chosen for the month of the sale when it was, with the shelves below. Tills know the second only.
    func addFavourites(
        to facts: inout [MemberFacts], of sales: [Sale], in runner: borrowing some QueryRunner & ~Copyable
    ) async throws {
        let months = sales.map { LocalTime($0.at, offsetMinutes: LocalTime.moscowMinutes).date.firstOfMonth }
        try await self.addFavouriteCategories(to: &facts, months: months, chosenBy: sales.map(\.at), in: runner)
        let products = try await runner.query(
            """
            select member_id, sku, date_trunc('second', added_at)
            from promotions.favourite_product
            where member_id = any (\(facts.map(\.member)))
            """
        ).map { try $0.decode(Member.ID.self, String.self, Timestamp.self) }
        let liked = Dictionary(grouping: products, by: \.0)
        for index in facts.indices {
            let then = (liked[facts[index].member] ?? []).filter { $0.2 <= sales[index].at }
            facts[index].favourites.products = Set(then.map(\.1))
        }
    }

    /// The categories chosen for months until some moment of each, with the shelves below.
    func addFavouriteCategories(
        to facts: inout [MemberFacts], months: [CivilDate], chosenBy moments: [Timestamp],
        in runner: borrowing some QueryRunner & ~Copyable
    ) async throws {
        let categories = try await runner.query(
            """
            with recursive liked as (
                select place, category
                from unnest(\(facts.map(\.member)), \(months), \(moments))
                    with ordinality as wanted (member_id, month, moment, place)
                join promotions.favourite_category using (member_id, month)
                where date_trunc('second', chosen_at) <= moment
                union
                select liked.place, shelf.category
                from liked
                join promotions.category as shelf on shelf.parent = liked.category
            )
            select place, category
            from liked
            """
        ).map { try $0.decode(Int64.self, String.self) }
        for (place, category) in categories { facts[Int(place) - 1].favourites.categories.insert(category) }
    }

    /// The campaigns of the coupons that were taken at a till for the sales; a coupon counts for its own member only.
    func addCoupons(
        to facts: inout [MemberFacts], of sales: [Sale], in runner: borrowing some QueryRunner & ~Copyable
    ) async throws {
        for index in facts.indices where !sales[index].coupons.isEmpty {
            let campaigns = try await runner.query(
                """
                select campaign.code
                from promotions.coupon
                join promotions.coupon_campaign as campaign using (campaign_id)
                where coupon_id = any (\(sales[index].coupons)) and member_id = \(facts[index].member)
                    and state = 'used'
                """
            ).map { try $0.decode(String.self) }
            facts[index].coupons = Set(campaigns)
        }
    }

    /// What the counted rules gave the member in the periods of the sale.
    func addUses(
        to facts: inout MemberFacts, of rules: [Rule], at moment: Timestamp,
        in runner: borrowing some QueryRunner & ~Copyable
    ) async throws {
        let periods = rules.flatMap { rule in rule.countedPeriods.map { RulePeriod(rule: rule.id, period: $0) } }
        guard !periods.isEmpty else { return }
        let rows = try await runner.query(
            """
            select rule, period, points, times
            from unnest(
                \(periods.map(\.rule)), \(periods.map(\.period.rawValue)),
                \(periods.map { $0.period.start(of: moment) })
            ) as wanted (rule, period, starts_on)
            join promotions.rule_use using (rule, period, starts_on)
            where member_id = \(facts.member)
            """)
        for row in rows {
            let (rule, period, points, times) = try row.decode(String.self, String.self, Int64.self, Int64.self)
            guard let period = Rule.Period(rawValue: period) else { continue }
            facts.used[RulePeriod(rule: rule, period: period)] = RuleUse(points: points, times: times)
        }
    }

    /// Makes receipts of one member follow each other for the rest of the transaction.
    func lock(_ member: Member.ID, in transaction: borrowing Transaction) async throws {
        let name = "promotions.member/\(member)"
        try await transaction.execute("select pg_advisory_xact_lock(hashtextextended(\(name), 0))")
    }

    /// Writes down what counted rules gave.
    func count(
        _ uses: [String: RuleUse], of rules: [Rule], by member: Member.ID, at moment: Timestamp,
        in transaction: borrowing Transaction
    ) async throws {
        let entries = rules.flatMap { rule -> [(RulePeriod, RuleUse)] in
            guard let use = uses[rule.id] else { return [] }
            return rule.countedPeriods.map { (RulePeriod(rule: rule.id, period: $0), use) }
        }
        guard !entries.isEmpty else { return }
        try await transaction.execute(
            """
            insert into promotions.rule_use as use (member_id, rule, period, starts_on, points, times)
            select \(member), *
            from unnest(
                \(entries.map(\.0.rule)), \(entries.map(\.0.period.rawValue)),
                \(entries.map { $0.0.period.start(of: moment) }), \(entries.map(\.1.points)),
                \(entries.map(\.1.times))
            )
            on conflict (member_id, rule, period, starts_on) do update
            set points = use.points + excluded.points, times = use.times + excluded.times
            """)
    }
}

import Kernel
import Postgres

/// Funds and campaigns, and the budget of what the shop adds.
struct CampaignStore: Sendable {
    private static let columns: SQL = """
        c.campaign_id, c.fund, f.name, f.name_en, f.about, f.about_en, f.opened_at, c.title, c.title_en, c.begins_at,
        c.ends_at, c.match_budget, c.match_left
        """

    func funds(in runner: borrowing some QueryRunner & ~Copyable) async throws -> [Fund] {
        try await runner.query(
            """
            select fund, name, name_en, about, about_en, opened_at
            from charity.fund
            order by created_at, fund
            """, as: Fund.self)
    }

    func fund(_ id: String, in runner: borrowing some QueryRunner & ~Copyable) async throws -> Fund? {
        try await runner.first(
            """
            select fund, name, name_en, about, about_en, opened_at
            from charity.fund
            where fund = \(id)
            """, as: Fund.self)
    }

    /// False when there is one of that name.
    func add(_ fund: Fund, at now: Timestamp, in transaction: borrowing Transaction) async throws -> Bool {
        try await transaction.execute(
            """
            insert into charity.fund (fund, name, name_en, about, about_en, created_at)
            values (
                \(fund.id), \(fund.name), \(fund.englishName), \(fund.about), \(fund.englishAbout), \(now)
            )
            on conflict do nothing
            """) == 1
    }

    func markOpen(_ fund: String, at now: Timestamp, in runner: borrowing some QueryRunner & ~Copyable) async throws {
        try await runner.execute(
            """
            update charity.fund
            set opened_at = \(now)
            where fund = \(fund) and opened_at is null
            """)
    }

    /// Those that have begun and have not ended.
    func campaigns(at now: Timestamp, in runner: borrowing some QueryRunner & ~Copyable) async throws -> [Campaign] {
        try await runner.query(
            """
            select \(fragment: Self.columns)
            from charity.campaign as c
            join charity.fund as f using (fund)
            where c.begins_at <= \(now) and (c.ends_at is null or c.ends_at > \(now))
            order by c.begins_at, c.campaign_id
            """, as: Campaign.self)
    }

    func campaign(
        _ id: Campaign.ID, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> Campaign? {
        try await runner.first(
            """
            select \(fragment: Self.columns)
            from charity.campaign as c
            join charity.fund as f using (fund)
            where c.campaign_id = \(id)
            """, as: Campaign.self)
    }

    func add(_ campaign: Campaign, at now: Timestamp, in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            """
            insert into charity.campaign (
                campaign_id, fund, title, title_en, begins_at, ends_at, match_budget, match_left, created_at
            )
            values (
                \(campaign.id), \(campaign.fund.id), \(campaign.title), \(campaign.englishTitle), \(campaign.beginsAt),
                \(campaign.endsAt), \(campaign.matchBudget), \(campaign.matchBudget), \(now)
            )
            """)
    }

    /// Promises a match: the budget's row is changed on the condition that it has enough, so of many who ask at once
    /// those get it that there is enough for, and nobody more.
    func promise(
        _ match: Kopecks, of campaign: Campaign.ID, in transaction: borrowing Transaction
    ) async throws -> Bool {
        try await transaction.execute(
            """
            update charity.campaign
            set match_left = match_left - \(match)
            where campaign_id = \(campaign) and match_left >= \(match)
            """) == 1
    }

    /// Gives a promised match back to the budget.
    func giveBack(
        _ match: Kopecks, to campaign: Campaign.ID, in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            update charity.campaign
            set match_left = match_left + \(match)
            where campaign_id = \(campaign)
            """)
    }
}

extension Fund: RowDecodable {
    init(row: Row) throws {
        self.init(
            id: try row.value("fund"), name: try row.value("name"), englishName: try row.value("name_en"),
            about: try row.value("about"), englishAbout: try row.value("about_en"),
            openedAt: try row.value("opened_at"))
    }
}

extension Campaign: RowDecodable {
    init(row: Row) throws {
        self.init(
            id: try row.value("campaign_id"), fund: try Fund(row: row), title: try row.value("title"),
            englishTitle: try row.value("title_en"), beginsAt: try row.value("begins_at"),
            endsAt: try row.value("ends_at"), matchBudget: try row.value("match_budget"),
            matchLeft: try row.value("match_left"))
    }
}

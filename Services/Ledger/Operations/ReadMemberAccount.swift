internal import Kernel
internal import Postgres

/// What a member may see of the own points.
struct ReadMemberAccount: Sendable {
    private let balances: BalanceStore
    private let feed = FeedStore()
    private let database: Database
    private let clock: any WallClock

    init(database: Database, clock: any WallClock) {
        self.balances = BalanceStore(database: database)
        self.database = database
        self.clock = clock
    }

    /// What can be spent, what waits, what is reserved and what is owed.
    func balance(of member: Member.ID) async throws -> Balance {
        try await self.balances.balance(of: member, now: self.clock.now)
    }

    /// What there was at a moment, by one of the two times.
    func balance(
        of member: Member.ID, at moment: Timestamp, by basis: PastBalance.Basis
    ) async throws -> PastBalance {
        try await self.balances.balance(of: member, at: moment, by: basis, on: self.database)
    }

    /// What can be spent by the day of its expiry, earliest first.
    func lots(of member: Member.ID) async throws -> [LotDay] {
        try await self.balances.lotDays(of: member, now: self.clock.now)
    }

    /// What has happened, newest first.
    func feed(of member: Member.ID, _ query: FeedQuery) async throws -> [FeedLine] {
        try await self.feed.lines(of: member, query, on: self.database)
    }

    /// One transaction; nil when this member has none such, whoever else may have it.
    func transaction(_ id: LedgerTransaction.ID, of member: Member.ID) async throws -> FeedLine? {
        try await self.feed.line(id, of: member, on: self.database)
    }
}

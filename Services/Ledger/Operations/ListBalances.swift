public import Kernel
public import Postgres

/// Lists every member with the available balance, in the order of the ids, page by page.
public struct ListBalances: Sendable {
    private let store: BalanceStore
    private let clock: any WallClock

    /// How many members a page has.
    public static let pageSize = 1000

    /// - Parameter database: of a role that may read the ledger.
    public init(database: Database, clock: any WallClock) {
        self.store = BalanceStore(database: database)
        self.clock = clock
    }

    /// The page after `last`; fewer than ``pageSize`` members are the last page.
    public func callAsFunction(after last: Member.ID? = nil) async throws -> [MemberBalance] {
        try await self.store.balances(after: last, now: self.clock.now, limit: Self.pageSize)
    }
}

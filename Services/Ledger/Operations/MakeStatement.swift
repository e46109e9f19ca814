public import Kernel
public import Postgres

/// Makes a member's statement over a period: all of it in one snapshot.
public struct MakeStatement: Sendable {
    private let database: Database
    private let clock: any WallClock
    private let balances: BalanceStore
    private let feed = FeedStore()

    /// Lines that a statement has room for.
    public static let limit = 20_000

    /// - Parameter database: of a role that may read the ledger.
    public init(database: Database, clock: any WallClock) {
        self.database = database
        self.clock = clock
        self.balances = BalanceStore(database: database)
    }

    /// - Parameters:
    ///   - from: the first moment of the period, by the time of recording; nil for the beginning of time.
    ///   - to: the moment with which it ends, which is not in it; nil for now.
    /// - Throws: ``StatementTooLong``
    public func callAsFunction(
        of member: Member.ID, from: Timestamp? = nil, to: Timestamp? = nil
    ) async throws -> Statement {
        let begins = max(from ?? .distantPast, .distantPast)
        // Until now is until the last line: what followed another in the same millisecond is dated a little later.
        let ends = max(begins, to ?? .distantFuture)
        return try await self.database.transaction(isolation: .repeatableRead, readOnly: true) { transaction in
            let before = Duration.microseconds(1)
            let opening = try await self.balances.balance(
                of: member, at: begins - before, by: .recorded, on: transaction)
            let closing = try await self.balances.balance(of: member, at: ends - before, by: .recorded, on: transaction)
            let query = FeedQuery(recorded: begins..<ends, limit: Self.limit + 1)
            let lines = try await self.feed.lines(of: member, query, on: transaction)
            guard lines.count <= Self.limit else { throw StatementTooLong(limit: Self.limit) }
            let shown = to == nil ? max(self.clock.now, lines.first?.recordedAt ?? begins) : ends
            return Statement(
                member: member, from: begins, to: shown, opening: opening, closing: closing, lines: lines.reversed())
        }
    }
}

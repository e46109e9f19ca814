public import Kernel
public import Postgres

/// Lists the closed months with their sums, the earliest first.
public struct ListMonths: Sendable {
    private let database: Database

    /// - Parameter database: of a role that may read the ledger.
    public init(database: Database) {
        self.database = database
    }

    /// All of them.
    public func callAsFunction() async throws -> [ClosedMonth] {
        try await ClosingStore().months(on: self.database)
    }
}

/// A month that is closed: what all members together had at its end.
public struct ClosedMonth: Hashable, Sendable, Codable {
    /// `2026-03`
    public let month: String
    /// When it was closed.
    public let closedAt: Timestamp
    /// Members of whom something was ever recorded by then.
    public let members: Int64
    /// Points that could be spent.
    public let available: Int64
    /// Points that had not matured.
    public let pending: Int64
    /// Points under holds.
    public let held: Int64
    /// Points owed.
    public let debt: Int64
}

public import Kernel
public import Postgres

/// Looks for a row that breaks an invariant: all of them in one snapshot, while the ledger goes on working.
public struct VerifyLedger: Sendable {
    /// How far the verification is.
    public enum Progress: Hashable, Sendable {
        /// An invariant is looked at now.
        case begins(Invariant)
        /// So many of the sealed transactions are recomputed.
        case recomputed(Int64, of: Int64)
    }

    private let database: Database
    private let clock: any WallClock
    private let store = InvariantStore()
    private let seals = VerifySeals()

    /// - Parameter database: of a role that may read the ledger.
    public init(database: Database, clock: any WallClock) {
        self.database = database
        self.clock = clock
    }

    /// - Parameter progress: told of each invariant before it is looked at, and of the steps of a long one.
    /// - Returns: the first wrong row of each broken invariant; nothing when the books are right.
    public func callAsFunction(
        progress: @Sendable (Progress) -> Void = { _ in }
    ) async throws -> [Finding] {
        try await self.database.transaction(isolation: .repeatableRead, readOnly: true) { transaction in
            try await self.findings(in: transaction, progress: progress)
        }
    }

    /// The same in a snapshot of the caller.
    /// - Parameter transaction: a repeatable-read one.
    func findings(
        in transaction: borrowing Transaction, progress: @Sendable (Progress) -> Void = { _ in }
    ) async throws -> [Finding] {
        // A whole ledger takes longer than a request may.
        try await self.store.allowLongStatements(in: transaction)
        var findings: [Finding] = []
        for invariant in Invariant.allCases {
            progress(.begins(invariant))
            let finding =
                invariant == .sealsRecompute
                ? try await self.seals.firstBreach(in: transaction) { progress(.recomputed($0, of: $1)) }
                : try await self.store.firstBreach(of: invariant, now: self.clock.now, in: transaction)
            if let finding { findings.append(finding) }
        }
        return findings
    }
}

public import Kernel
public import Postgres

/// Looks for a row that breaks an invariant: all of them in one snapshot, while the ledger goes on working.
public struct VerifyLedger: Sendable {
    private let database: Database
    private let clock: any WallClock
    private let store = InvariantStore()

    /// - Parameter database: of a role that may read the ledger.
    public init(database: Database, clock: any WallClock) {
        self.database = database
        self.clock = clock
    }

    /// - Parameter progress: told of each invariant before it is looked at.
    /// - Returns: the first wrong row of each broken invariant; nothing when the books are right.
    public func callAsFunction(
        progress: @Sendable (Invariant) -> Void = { _ in }
    ) async throws -> [Finding] {
        try await self.database.transaction(isolation: .repeatableRead, readOnly: true) { transaction in
            // A whole ledger takes longer than a request may.
            try await self.store.allowLongStatements(in: transaction)
            var findings: [Finding] = []
            for invariant in Invariant.allCases {
                progress(invariant)
                if let finding = try await self.store.firstBreach(
                    of: invariant, now: self.clock.now, in: transaction)
                {
                    findings.append(finding)
                }
            }
            return findings
        }
    }
}

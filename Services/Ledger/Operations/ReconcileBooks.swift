public import Kernel
public import Postgres

/// Compares somebody else's list with the books, all of it in one snapshot, a thousand lines at a time.
public struct ReconcileBooks: Sendable {
    private let database: Database
    private let clock: any WallClock
    private let store = ReconciliationStore()
    private let invariants = InvariantStore()

    private static let chunk = 1000

    /// - Parameter database: of a role that may read the ledger.
    public init(database: Database, clock: any WallClock) {
        self.database = database
        self.clock = clock
    }

    /// Compares balances both ways: who is not in the list must have nothing to spend.
    /// - Parameter progress: told how many lines of the list are done.
    public func callAsFunction(
        _ stated: [StatedBalance], progress: @Sendable (Int) -> Void = { _ in }
    ) async throws -> [Discrepancy] {
        let now = self.clock.now
        return try await self.inOneSnapshot { transaction in
            var found: [Discrepancy] = []
            for start in stride(from: 0, to: stated.count, by: Self.chunk) {
                let part = Array(stated[start..<min(start + Self.chunk, stated.count)])
                found += try await self.store.differences(part, now: now, in: transaction)
                progress(start + part.count)
            }
            let listed = Set(stated.map(\.member))
            var last: Member.ID?
            while true {
                let page = try await self.store.members(after: last, now: now, limit: Self.chunk, in: transaction)
                found += page.filter { $0.available > .zero && !listed.contains($0.member) }.map {
                    Discrepancy(
                        kind: .missingInFile, subject: $0.member.description, file: "", books: "\($0.available.amount)")
                }
                guard let end = page.last else { return found }
                last = end.member
            }
        }
    }

    /// Compares receipts both ways: between the first and the last document of a fiscal drive the list must be complete.
    /// - Parameter progress: told how many lines of the list are done.
    public func callAsFunction(
        _ stated: [StatedReceipt], progress: @Sendable (Int) -> Void = { _ in }
    ) async throws -> [Discrepancy] {
        try await self.inOneSnapshot { transaction in
            var found: [Discrepancy] = []
            for start in stride(from: 0, to: stated.count, by: Self.chunk) {
                let part = Array(stated[start..<min(start + Self.chunk, stated.count)])
                found += try await self.store.differences(part, in: transaction)
                progress(start + part.count)
            }
            for (drive, documents) in Self.documents(stated) {
                guard let first = documents.min(), let last = documents.max() else { continue }
                found += try await self.store.unlisted(
                    fn: drive, from: first, to: last, listed: documents, in: transaction)
            }
            return found
        }
    }

    /// The documents by their drive, drives in order.
    private static func documents(_ stated: [StatedReceipt]) -> [(Int64, [Int64])] {
        let drives = stated.reduce(into: [Int64: [Int64]]()) { drives, receipt in
            // A drive's number has 16 digits, always.
            if let fn = Int64(receipt.fiscal.fn) { drives[fn, default: []].append(receipt.fiscal.fd) }
        }
        return drives.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    private func inOneSnapshot(
        _ body: (borrowing Transaction) async throws -> [Discrepancy]
    ) async throws -> [Discrepancy] {
        try await self.database.transaction(isolation: .repeatableRead, readOnly: true) { transaction in
            try await self.invariants.allowLongStatements(in: transaction)
            return try await body(transaction)
        }
    }
}

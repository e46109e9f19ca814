internal import Kernel
internal import Postgres

/// I10: recomputes the chain of blocks from the books, in the order of both, with a few thousand transactions in memory.
struct VerifySeals: Sendable {
    private let store = SealStore()

    /// Transactions that are read at once.
    private static let batch: Int64 = 10_000

    /// - Parameters:
    ///   - progress: told how many of the sealed transactions are done, of how many.
    ///   - transaction: a repeatable-read one.
    func firstBreach(
        in transaction: borrowing Transaction, progress: @Sendable (_ done: Int64, _ total: Int64) -> Void
    ) async throws -> Finding? {
        let total = try await self.store.extent(in: transaction).transactions
        var chain = SealChain()
        var done: Int64 = 0
        while true {
            let blocks = try await self.store.blocks(
                after: chain.last?.number ?? 0, sealing: Self.batch, in: transaction)
            guard let first = blocks.first, let last = blocks.last else { return nil }
            let begins = first.block.xidFrom
            let entries = try await self.store.entries(begins..<max(begins, last.block.xidTo), in: transaction)
            if let finding = Self.follow(blocks, entries, &chain) { return finding }
            done += Int64(entries.count)
            progress(done, total)
        }
    }

    private static func follow(
        _ blocks: [SealedBlock], _ entries: [BookEntry], _ chain: inout SealChain
    ) -> Finding? {
        var rest = entries[...]
        for sealed in blocks {
            let mine = rest.prefix { $0.xid < sealed.block.xidTo }
            rest = rest.dropFirst(mine.count)
            do {
                try chain.follow(sealed, mine)
            } catch {
                return Finding(invariant: .sealsRecompute, row: error.place, difference: error.difference)
            }
        }
        return nil
    }
}

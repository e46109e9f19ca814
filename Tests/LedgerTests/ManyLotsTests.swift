import Contracts
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Ledger

/// Somebody may have thousands of lots: a payment looks at no more of them than it takes points from. Otherwise a call of
/// many transfers of one member takes seconds. Counted in rows that were read, not in time.
@Suite(.ledger) struct ManyLotsTests {
    private static let lotsEach = 1000

    /// One goes the way of the single functions, eight go the way of the batch.
    @Test(arguments: [1, 8])
    func `a hold and its capture look at few of the lots`(members count: Int) async throws {
        let books = try await Books()
        let members = (0..<count).map { _ in books.member() }
        for member in members {
            try await books.post(try (0..<Self.lotsEach).map { _ in try books.receipt(of: member, [.of(12)]) })
        }
        try await books.owner.execute("analyze ledger.lot")
        let holds = members.map { (id: books.ids.next(Hold.self), member: $0) }
        let points = try #require(Points(20))

        let looks = try await books.database.transaction { transaction in
            var looks: [Int64] = [try await self.rowsRead(in: transaction)]
            let steps: [[Transfer]] = [
                holds.map {
                    .hold(
                        PlaceHold(
                            hold: $0.id, member: $0.member, points: points, purpose: .till, expiresInSeconds: 60))
                },
                holds.map { .capture(CaptureHold(hold: $0.id, member: $0.member, points: nil)) },
            ]
            for step in steps {
                let outcomes = try await TransferStore().apply(step, at: books.clock.now, in: transaction)
                #expect(outcomes.allSatisfy { $0.refusal == nil })
                looks.append(try await self.rowsRead(in: transaction))
            }
            return looks
        }
        // A lot has at least one point, so at most twenty are read to find the two that are taken from, and those again.
        #expect(looks[1] - looks[0] <= Int64(22 * count))
        #expect(looks[2] - looks[1] == 0)
        #expect(try await books.findings().isEmpty)
    }

    /// How many rows of lots the present transaction has read, by whatever way.
    private func rowsRead(in transaction: borrowing Transaction) async throws -> Int64 {
        try await transaction.one(
            """
            select seq_tup_read + coalesce(idx_tup_fetch, 0) from pg_stat_xact_user_tables
            where schemaname = 'ledger' and relname = 'lot'
            """
        ).decode(Int64.self)
    }
}

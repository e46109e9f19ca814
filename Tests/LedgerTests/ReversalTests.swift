import Contracts
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Ledger

@Suite(.ledger) struct ReversalTests {
    /// JiRaska/open-bank-oss PR 528: two reversals at once credited twice.
    @Test func `A16 reversals of one transaction at once undo it once`() async throws {
        let books = try await Books()
        let member = books.member()
        try await books.earn(100, for: member)
        let transaction = try await books.spend(60, for: member).outcome.transaction
        let outcomes = try await withThrowingTaskGroup(of: TransferOutcome.self) { group in
            for _ in 0..<8 { group.addTask { try await books.reverse(transaction, of: member) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.filter { $0.result != nil }.count == 1)
        #expect(outcomes.filter { $0.refusal == .alreadyReversed }.count == 7)
        #expect(try await books.available(member) == 100)
        #expect(try await books.findings().isEmpty)
    }

    /// Whoever gets past the function: the table refuses the second one.
    @Test func `A16 the table itself keeps one reversal of a transaction`() async throws {
        let books = try await Books()
        let member = books.member()
        try await books.earn(100, for: member)
        let transaction = try await books.spend(60, for: member).outcome.transaction
        _ = try await books.reverse(transaction, of: member)
        let refusal = await #expect(throws: DatabaseError.self) {
            try await books.owner.execute(
                """
                insert into ledger.reversal (reversal_id, member_id, reverses, transaction_id, kind)
                select gen_random_uuid(), member_id, reverses, transaction_id, kind from ledger.reversal
                """)
        }
        #expect(refusal?.constraint == "reversal_once")
    }

    /// LerianStudio/midaz PR 2317: what was cancelled restored a state that could not be.
    @Test func `A17 points that came back with goods do not come back again with a reversal, nor the other way`()
        async throws
    {
        let books = try await Books()
        let member = books.member()
        try await books.earn(200, for: member)
        let sales = try (0..<2).map { _ in try books.receipt(of: member, []) }
        try await books.post(sales)
        let (first, second) = (try await books.spend(60, for: member), try await books.spend(60, for: member))
        func goods(_ sale: Int, _ hold: Hold.ID) throws -> Transfer {
            try books.goods(of: member, sales[sale].receipt, lines: [100], holds: [hold], back: [(1, 50)])
        }
        try await books.apply(try goods(0, first.hold))
        #expect(try await books.reverse(try first.outcome.transaction, of: member).refusal == .alreadyReturned)
        #expect(try await books.reverse(try second.outcome.transaction, of: member).result != nil)
        #expect(try await books.apply(try goods(1, second.hold)).refusal == .unknownHold)
        #expect(try await books.available(member) == 170)
        #expect(try await books.findings().isEmpty)
    }

    @Test func `an adjustment is undone from its own lot first, and only while the points are there`() async throws {
        let books = try await Books()
        let member = books.member()
        try await books.earn(50, .promotional, for: member)
        let given = try await books.adjust(100, of: member).transaction
        #expect(try await books.reverse(given, of: member).result?.available == Points(50))
        #expect(try await books.account.lots(of: member).flatMap(\.classes).map(\.lotClass) == ["promotional"])

        let again = try await books.adjust(100, of: member).transaction
        try await books.spend(120, for: member)
        #expect(try await books.reverse(again, of: member).refusal == .insufficientPoints)
        let taken = try await books.adjust(-30, of: member).transaction
        #expect(try await books.reverse(taken, of: member).result?.available == Points(30))
        #expect(try await books.findings().isEmpty)
    }

    @Test func `what is undone otherwise is not reversible, and what belongs to others is unknown`() async throws {
        let books = try await Books()
        let member = books.member()
        let earned = try await books.earn(50, for: member).transaction
        try await books.openCampaign("plates", days: 9)
        let stuck = try await books.stickers(4, of: "plates", for: member).transaction
        _ = try await books.stickers(-3, of: "plates", for: member)

        #expect(try await books.reverse(earned, of: member).refusal == .notReversible)
        #expect(try await books.reverse(earned, of: books.member()).refusal == .unknownTransaction)
        #expect(try await books.reverse(stuck, of: member).refusal == .insufficientStickers)
        _ = try await books.stickers(3, of: "plates", for: member)
        #expect(try await books.reverse(stuck, of: member).result != nil)
        #expect(try await books.findings().isEmpty)
    }
}

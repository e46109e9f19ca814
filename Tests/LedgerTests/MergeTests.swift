import Contracts
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Ledger

@Suite(.ledger) struct MergeTests {
    @Test func `everything goes to the other card, lot by lot with its expiry`() async throws {
        let books = try await Books()
        let (old, new) = (books.member(), books.member())
        try await books.earn(100, for: old)
        books.clock.advance(by: .seconds(40 * 86_400))
        try await books.earn(50, .promotional, for: old)
        try await books.earn(7, for: new)
        let delivery = books.clock.now + .seconds(86_400)
        try await books.post([try books.receipt(of: old, [.of(30, maturing: delivery)])])
        try await books.openCampaign("cups", days: 30)
        _ = try await books.stickers(4, of: "cups", for: old)
        _ = try await books.stickers(2, of: "cups", for: new)
        let before = try await books.account.lots(of: old)

        let outcome = try await books.merge(old, into: new)
        #expect(outcome.result?.available == Points(157))
        let after = try await books.account.lots(of: new)
        for day in before {
            let same = try #require(after.first { $0.expiresAt == day.expiresAt })
            #expect(same.points >= day.points)
        }
        #expect(try await books.available(old) == 0)
        #expect(try await books.account.balance(of: new).pending == Points(30))
        #expect(try await books.stickers(-6, of: "cups", for: new).result?.balance == 0)
        books.clock.set(to: delivery)
        #expect(try await books.upkeep.maturePoints() == 1)
        #expect(try await books.available(new) == 187)
        #expect(try await books.total("merge") == 0)
        #expect(try await books.findings().isEmpty)
    }

    @Test func `a debt goes along, and stays a debt`() async throws {
        let books = try await Books()
        let (old, new) = (books.member(), books.member())
        let sale = try books.receipt(of: old, [.of(100)])
        try await books.post([sale])
        try await books.spend(100, for: old)
        try await books.apply(try books.goods(of: old, sale.receipt, lines: [100], back: [(1, 100)]))
        try await books.earn(30, for: new)

        #expect(try await books.merge(old, into: new).result != nil)
        let balance = try await books.account.balance(of: new)
        #expect([balance.available.amount, balance.debt.amount] == [30, 100])
        #expect(try await books.account.balance(of: old).debt == .zero)
        try await books.earn(120, for: new)
        #expect(try await books.available(new) == 50)
        #expect(try await books.findings().isEmpty)
    }

    /// Without this a second card is a way to keep the points of returned goods.
    @Test func `A1 goods of the old card are returned by the new one`() async throws {
        let books = try await Books()
        let (old, new) = (books.member(), books.member())
        try await books.earn(80, for: old)
        let (hold, _) = try await books.spend(60, for: old)
        let sale = try books.receipt(of: old, [.of(100)])
        try await books.post([sale])
        _ = try await books.merge(old, into: new)

        let outcome = try await books.apply(
            try books.goods(of: old, sale.receipt, lines: [100], holds: [hold], back: [(1, 100)]))
        #expect(outcome.result?.fromAvailable == Points(100))
        #expect(outcome.result?.restored == Points(60))
        #expect(try await books.available(new) == 80)
        #expect(try await books.available(old) == 0)
        #expect(try await books.findings().isEmpty)
    }

    @Test func `a merge that makes no sense is refused`() async throws {
        let books = try await Books()
        let (old, new, third) = (books.member(), books.member(), books.member())
        try await books.earn(100, for: old)
        try await books.earn(1, for: third)
        let hold: Hold.ID = books.ids.next()
        try await books.place(hold, 10, for: old)

        #expect(try await books.merge(old, into: old).refusal == .sameMember)
        #expect(try await books.merge(books.member(), into: new).refusal == .unknownMember)
        #expect(try await books.merge(old, into: new).refusal == .openHolds)
        try await books.void(hold, of: old)
        #expect(try await books.merge(old, into: new).result != nil)
        #expect(try await books.merge(old, into: third).refusal == .mergedAway)
        #expect(try await books.merge(third, into: old).refusal == .mergedAway)
        // A receipt that was under way comes late, and is brought over as well.
        try await books.earn(5, for: old)
        #expect(try await books.merge(old, into: new).result?.available == Points(105))
        #expect(try await books.findings().isEmpty)
    }

    @Test func `merges crosswise at once do not deadlock, and one of them is refused`() async throws {
        let books = try await Books()
        let (one, two) = (books.member(), books.member())
        try await books.earn(1, for: one)
        try await books.earn(2, for: two)
        let outcomes = try await withThrowingTaskGroup(of: TransferOutcome.self) { group in
            group.addTask { try await books.merge(one, into: two) }
            group.addTask { try await books.merge(two, into: one) }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.compactMap(\.refusal) == [.mergedAway])
        #expect(try await books.available(one) + books.available(two) == 3)
        #expect(try await books.findings().isEmpty)
    }
}

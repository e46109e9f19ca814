import Contracts
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Ledger

/// Points that wait: until an online order is delivered, or a form is confirmed.
@Suite(.ledger) struct MaturityTests {
    @Test func `points that wait are pending, and their life counts from when they mature`() async throws {
        let books = try await Books(ManualClock(try #require(Timestamp("2026-01-30T09:00:00Z"))))
        let member = books.member()
        let delivery = try #require(Timestamp("2026-02-03T12:00:00Z"))
        let receipt = try books.receipt(of: member, [.of(100, maturing: delivery), .of(20)])
        let outcome = try #require(try await books.post([receipt]).first)

        guard case .posted(_, _, let credited, _, let waiting) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect([credited.amount, waiting.amount] == [20, 100])
        var balance = try await books.account.balance(of: member)
        #expect([balance.available.amount, balance.pending.amount] == [20, 100])
        books.clock.set(to: delivery - .seconds(1))
        #expect(try await books.upkeep.maturePoints() == 0)

        books.clock.set(to: delivery + .seconds(3600))
        #expect(try await books.upkeep.maturePoints() == 1)
        #expect(try await books.upkeep.maturePoints() == 0)
        balance = try await books.account.balance(of: member)
        #expect([balance.available.amount, balance.pending.amount] == [120, 0])
        let days = try await books.account.lots(of: member)
        #expect(days.map(\.expiresAt) == [Timestamp("2026-07-31T21:00:00Z"), Timestamp("2026-08-31T21:00:00Z")])
        let line = try #require(try await books.feed(member).first)
        #expect(line.kind == .mature)
        #expect(line.effectiveAt == delivery)
        #expect(try await books.findings().isEmpty)
    }

    @Test func `points that wait repay no debt before they mature, and then first`() async throws {
        let books = try await Books()
        let member = books.member()
        let sale = try books.receipt(of: member, [.of(100)])
        try await books.post([sale])
        try await books.spend(100, for: member)
        try await books.apply(try books.goods(of: member, sale.receipt, lines: [100], back: [(1, 100)]))
        let delivery = books.clock.now + .seconds(86_400)
        // What is there at once repays, also when other points of the same receipt wait.
        try await books.post([
            try books.receipt(
                of: member,
                [.of(10), .of(130, maturing: delivery), .of(40, .promotional, maturing: delivery)])
        ])
        #expect(try await books.account.balance(of: member).debt == Points(90))

        books.clock.set(to: delivery)
        try await books.upkeep.maturePoints()
        let balance = try await books.account.balance(of: member)
        #expect([balance.debt.amount, balance.available.amount, balance.pending.amount] == [0, 80, 0])
        #expect(try await books.findings().isEmpty)
    }

    @Test func `a receipt that waits otherwise than the first time is another receipt`() async throws {
        let books = try await Books()
        let member = books.member()
        let delivery = books.clock.now + .seconds(86_400)
        let receipt = try books.receipt(of: member, [.of(100, maturing: delivery)])
        try await books.post([receipt])
        let sooner = try books.receipt(
            of: member, [.of(100, maturing: books.clock.now)], id: receipt.receipt, fiscal: receipt.fiscal,
            effectiveAt: receipt.effectiveAt)

        #expect(try await books.post([receipt]).map(\.isReplayed) == [true])
        #expect(try await books.post([sooner]).map(\.isRefused) == [true])
    }

    @Test func `sweeps at once mature each receipt once, and wait for nobody`() async throws {
        let books = try await Books()
        let members = (0..<30).map { _ in books.member() }
        let delivery = books.clock.now + .seconds(60)
        try await books.post(try members.map { try books.receipt(of: $0, [.of(10, maturing: delivery)]) })
        books.clock.set(to: delivery)
        try await books.database.transaction { transaction in
            // Somebody is served meanwhile: the sweep leaves this member for the next round.
            let receipt = try books.receipt(of: members[3], [.of(1)])
            _ = try await ReceiptStore().post([receipt], at: books.clock.now, in: transaction)
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<3 { group.addTask { try await books.upkeep.maturePoints() } }
                let matured = try await group.reduce(0, +)
                #expect(matured == 29)
            }
        }
        #expect(try await books.upkeep.maturePoints() == 1)
        #expect(try await books.count("select count(*) from ledger.transaction where kind = 'mature'") == 30)
        #expect(try await books.findings().isEmpty)
    }
}

import Contracts
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Ledger

@Suite(.ledger) struct PostingTests {
    @Test func `a receipt becomes a balance, a lot and a line of the feed`() async throws {
        let books = try await Books()
        let member = books.member()
        let receipt = try books.receipt(of: member, [.of(120), .of(30, .promotional)])
        let outcome = try #require(try await books.post([receipt]).first)

        #expect(outcome.isPosted)
        let balance = try await books.account.balance(of: member)
        #expect(balance.available == Points(150))
        #expect(balance.expiringNext?.points == Points(30))
        let days = try await books.account.lots(of: member)
        #expect(days.map(\.points.amount) == [30, 120])
        let line = try #require(try await books.feed(member).first)
        #expect(line.id == outcome.transaction)
        #expect(line.kind == .earn)
        #expect(line.points == Points(150))
        #expect(line.availableAfter == Points(150))
        #expect(line.effectiveAt == receipt.effectiveAt)
        #expect(line.recordedAt == books.clock.now)
        #expect(line.receipt == FeedReceipt(id: receipt.receipt, store: "moscow-1", total: receipt.total))
        #expect(line.movements.map(\.rule) == ["base-regular", "base-promotional"])
        #expect(line.movements.map(\.from) == ["issued:purchase", "issued:promotion"])
        #expect(line.movements.map { $0.lot?.lotClass } == ["regular", "promotional"])
        #expect(try await books.findings().isEmpty)
    }

    @Test func `accruals of one class share a lot, and each names its rule`() async throws {
        let books = try await Books()
        let member = books.member()
        try await books.post([try books.receipt(of: member, [.of(100), .of(20), .of(0)])])

        #expect(try await books.count("select count(*) from ledger.lot") == 1)
        #expect(try await books.feed(member).first?.movements.count == 2)
        #expect(try await books.available(member) == 120)
    }

    @Test func `a receipt that earns nothing has its transaction all the same`() async throws {
        let books = try await Books()
        let member = books.member()
        let outcomes = try await books.post([try books.receipt(of: member, [])])

        #expect(outcomes.map(\.isPosted) == [true])
        let line = try #require(try await books.feed(member).first)
        #expect(line.points == .zero)
        #expect(line.movements.isEmpty)
        #expect(try await books.count("select count(*) from ledger.posting") == 0)
        #expect(try await books.findings().isEmpty)
    }

    /// DivanteLtd/open-loyalty #76: one receipt number was accepted many times.
    @Test func `A6 a receipt earns once however often it comes`() async throws {
        let books = try await Books()
        let member = books.member()
        let receipt = try books.receipt(of: member, [.of(120)])
        let first = try await books.post([receipt])
        books.clock.advance(by: .seconds(3600))
        let again = try await books.post([receipt])

        #expect(again.map(\.isReplayed) == [true])
        #expect(again.map(\.transaction) == first.map(\.transaction))
        #expect(try await books.available(member) == 120)
        #expect(try await books.feed(member).count == 1)
    }

    /// The same fiscal triple under another id: a client that forgets its key still cannot earn twice.
    @Test func `A6 the fiscal triple alone keeps a receipt from earning twice`() async throws {
        let books = try await Books()
        let member = books.member()
        let receipt = try books.receipt(of: member, [.of(120)])
        let twin = try books.receipt(of: member, [.of(120)], fiscal: receipt.fiscal)
        try await books.post([receipt])
        let outcomes = try await books.post([twin])

        #expect(outcomes.map(\.isRefused) == [true])
        #expect(try await books.available(member) == 120)
    }

    /// formancehq/stack PR 1633: the same key twice in one batch crashed it.
    @Test func `A19 a receipt twice in one batch is posted once and replayed once`() async throws {
        let books = try await Books()
        let member = books.member()
        let receipt = try books.receipt(of: member, [.of(120)])
        let other = try books.receipt(of: member, [.of(5)])
        let outcomes = try await books.post([receipt, other, receipt])

        #expect(outcomes.filter(\.isPosted).count == 2)
        #expect(outcomes[1].isPosted)
        #expect(outcomes[0].transaction == outcomes[2].transaction)
        #expect(try await books.available(member) == 125)
        #expect(try await books.findings().isEmpty)
    }

    @Test(arguments: ["points", "rule", "class", "total", "member", "time"])
    func `a receipt that comes again with other content is refused alone and kept`(difference: String) async throws {
        let books = try await Books()
        let member = books.member()
        let receipt = try books.receipt(of: member, [.of(120)])
        let stranger = books.member()
        try await books.post([receipt])
        let changed = PostReceipt(
            receipt: receipt.receipt, member: difference == "member" ? stranger : member, fiscal: receipt.fiscal,
            store: receipt.store,
            effectiveAt: difference == "time" ? receipt.effectiveAt + .seconds(1) : receipt.effectiveAt,
            total: difference == "total" ? .zero : receipt.total,
            accruals: [
                PostReceipt.Accrual(
                    lotClass: difference == "class" ? .promotional : .regular,
                    points: try #require(Points(difference == "points" ? 121 : 120)),
                    rule: difference == "rule" ? "other" : "base-regular")
            ], ruleset: receipt.ruleset)
        let bystander = try books.receipt(of: member, [.of(7)])
        let outcomes = try await books.post([changed, bystander])

        #expect(outcomes.map(\.isRefused) == [true, false])
        #expect(try await books.available(member) == 127)
        #expect(try await books.available(stranger) == 0)
        #expect(try await books.count("select count(*) from ledger.refused_receipt") == 1)
        #expect(try await books.findings().isEmpty)
    }

    @Test func `the same accruals in another order are the same receipt`() async throws {
        let books = try await Books()
        let member = books.member()
        let receipt = try books.receipt(of: member, [.of(120), .of(30, .promotional)])
        try await books.post([receipt])
        let turned = PostReceipt(
            receipt: receipt.receipt, member: member, fiscal: receipt.fiscal, store: receipt.store,
            effectiveAt: receipt.effectiveAt, total: receipt.total, accruals: receipt.accruals.reversed(),
            ruleset: receipt.ruleset)

        #expect(try await books.post([turned]).map(\.isReplayed) == [true])
    }

    @Test func `debt is repaid first, and only what is left can be spent`() async throws {
        let books = try await Books()
        let member = books.member()
        try await books.earn(0, for: member)
        try await books.plantDebt(100, of: member)
        let outcomes = try await books.post([
            try books.receipt(of: member, [.of(60)]), try books.receipt(of: member, [.of(50), .of(30, .promotional)]),
        ])

        guard case .posted(_, _, let first, let firstRepaid, _) = outcomes[0],
            case .posted(_, _, let second, let secondRepaid, _) = outcomes[1]
        else {
            Issue.record("not posted")
            return
        }
        #expect([first.amount, firstRepaid.amount, second.amount, secondRepaid.amount] == [0, 60, 40, 40])
        let balance = try await books.account.balance(of: member)
        #expect(balance.debt == .zero)
        #expect(balance.available == Points(40))
        #expect(try await books.account.lots(of: member).map(\.points.amount) == [30, 10])
        #expect(try await books.findings().isEmpty)
    }

    /// formancehq/ledger #364: ids made in application code collided under concurrency.
    @Test func `A18 many writers at once make as many transactions as receipts, numbered without a gap`() async throws {
        let books = try await Books()
        let members = (0..<5).map { _ in books.member() }
        let batches = try (0..<16).map { _ in
            try (0..<20).map { try books.receipt(of: members[$0 % 5], [.of(10)]) }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for batch in batches {
                group.addTask { try await books.post(batch) }
            }
            try await group.waitForAll()
        }

        #expect(try await books.count("select count(distinct id) from ledger.transaction") == 320)
        for member in members {
            #expect(try await books.available(member) == 640)
            #expect(try await books.feed(member).map(\.version) == Array((1...64).reversed()))
        }
        #expect(try await books.findings().isEmpty)
    }

    /// Points that 64 bits do not hold must not come round as few.
    @Test func `a balance beyond 64 bits is refused and changes nothing`() async throws {
        let books = try await Books()
        let member = books.member()
        try await books.earn(.max, for: member)
        await #expect(throws: DatabaseError.self) { try await books.earn(1, for: member) }

        #expect(try await books.available(member) == .max)
        #expect(try await books.findings().isEmpty)
    }

    @Test func `a month without a partition refuses loudly`() async throws {
        let books = try await Books()
        let member = books.member()
        books.clock.advance(by: .seconds(4 * 365 * 86_400))
        let refusal = await #expect(throws: DatabaseError.self) { try await books.earn(10, for: member) }

        #expect(refusal?.code == .checkViolation)
        try await books.makePartitions()
        #expect(try await books.earn(10, for: member).isPosted)
    }

    @Test func `a clock that runs behind does not bring a member's transactions out of order`() async throws {
        let books = try await Books()
        let member = books.member()
        try await books.earn(10, for: member)
        books.clock.advance(by: .seconds(-30))
        try await books.earn(20, for: member)
        try await books.earn(30, for: member)

        let feed = try await books.feed(member)
        #expect(feed.map(\.points.amount) == [30, 20, 10])
        #expect(Set(feed.map(\.recordedAt)).count == 3)
        #expect(feed.map(\.recordedAt) == feed.map(\.recordedAt).sorted(by: >))
        #expect(try await books.findings().isEmpty)
    }
}

extension Books {
    /// A debt as a claw-back would leave it: with its transaction and posting.
    func plantDebt(_ points: Int64, of member: Member.ID) async throws {
        try await self.owner.transaction { transaction in
            try await transaction.execute(
                """
                update ledger.member
                set debt = \(points), version = version + 1, recorded_at = recorded_at + interval '1 second'
                where member_id = \(member)
                """)
            try await transaction.execute(
                """
                with made as (
                    insert into ledger.transaction (
                        member_id, id, version, recorded_at, effective_at, available_after, pending_after, held_after,
                        debt_after, subject, kind)
                    select member_id, ledger.new_id(recorded_at), version, recorded_at, recorded_at, available,
                        pending, held, debt, member_id, 'void'
                    from ledger.member where member_id = \(member)
                    returning id, member_id
                )
                insert into ledger.posting (transaction_id, member_id, amount, line, debit, credit)
                select id, member_id, \(points), 1, 4, 70 from made
                """)
        }
    }
}

import Contracts
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Ledger

/// Verification is shown one corruption after another, planted by a superuser with the triggers off.
@Suite(.ledger) struct VerifyTests {
    /// What is planted, and the invariants that must be found broken, at least.
    private static let corruptions: [(what: String, sql: SQL, broken: Set<Invariant>)] = [
        ("a balance raised", "update ledger.member set available = available + 1", [.balancesFollowPostings, .availableIsLots]),
        ("a balance with its lot raised",
         """
         with raised as (update ledger.member set available = available + 1 returning member_id)
         update ledger.lot as l set remaining = remaining - 1 from raised as r
         where l.member_id = r.member_id and remaining > 0
         """, [.balancesFollowPostings, .lotsFollowPostings]),
        ("held points vanished", "update ledger.member set held = 0", [.heldIsOpenHolds, .balancesFollowPostings]),
        ("a debt forgiven", "update ledger.member set debt = debt + 5", [.balancesFollowPostings, .liabilityBothWays]),
        ("a posting changed", "update ledger.posting set amount = amount + 1 where debit = 20",
         [.balancesFollowPostings, .lotsFollowPostings, .liabilityBothWays]),
        ("a posting deleted", "delete from ledger.posting where credit = 40", [.balancesFollowPostings, .heldIsOpenHolds]),
        ("a posting turned to another asset",
         """
         with stickers as (
            insert into ledger.account (id, code, asset, holder, meaning)
            values (99, 'stickers', 'STK:test', 'house', 'test') returning id)
         update ledger.posting set credit = (select id from stickers) where credit = 40
         """, [.postingsBalance]),
        ("a posting to no account", "update ledger.posting set debit = 77 where debit = 20", [.postingsBalance]),
        ("a transaction deleted", "delete from ledger.transaction where kind = 'hold'",
         [.postingsBalance, .balancesFollowPostings]),
        ("a receipt's transaction deleted with its postings",
         """
         with gone as (delete from ledger.transaction where kind = 'earn' returning id)
         delete from ledger.posting where transaction_id in (select id from gone)
         """, [.receiptsHaveOneTransaction, .balancesFollowPostings, .lotsFollowPostings]),
        ("the newest transaction cut off",
         "delete from ledger.transaction where version = (select max(version) from ledger.transaction)",
         [.balancesFollowPostings]),
        ("a balance after it rewritten", "update ledger.transaction set available_after = available_after + 1 where version = 1",
         [.balancesFollowPostings]),
        ("a transaction moved to another member",
         "update ledger.transaction set member_id = gen_random_uuid() where version = 1",
         [.balancesFollowPostings, .postingsBalance, .receiptsHaveOneTransaction]),
        ("a member deleted", "delete from ledger.member", [.balancesFollowPostings, .availableIsLots, .heldIsOpenHolds]),
        ("a lot deleted", "delete from ledger.lot where lot_class = 'promotional'", [.lotsFollowPostings, .availableIsLots]),
        ("a lot invented",
         """
         insert into ledger.lot (member_id, expires_at, number, lot_class, earned_at, source, amount, remaining)
         select member_id, expires_at, 99, lot_class, earned_at, source, amount, remaining from ledger.lot
         """, [.lotsFollowPostings, .availableIsLots]),
        ("a lot made larger", "update ledger.lot set amount = amount + 1", [.lotsFollowPostings]),
        ("a hold deleted", "delete from ledger.hold where state = 'open'", [.heldIsOpenHolds]),
        ("a hold made larger", "update ledger.hold set points = points + 1 where state = 'captured'", [.heldIsOpenHolds]),
        ("a hold reopened",
         """
         update ledger.hold set state = 'open', captured = 0, settled_by = null, settled_at = null
         where state = 'captured'
         """, [.heldIsOpenHolds]),
        ("a receipt deleted", "delete from ledger.receipt", [.receiptsHaveOneTransaction]),
        ("a receipt invented",
         """
         insert into ledger.receipt (receipt_id, fn, fd, fpd, total, ruleset, member_id, transaction_id, store)
         select gen_random_uuid(), fn, fd + 1000, fpd, total, ruleset, member_id, transaction_id, store
         from ledger.receipt
         """, [.receiptsHaveOneTransaction]),
        ("a lot left past its expiry", "update ledger.lot set expires_at = '2026-02-01T00:00:00Z'", [.nothingOverdue]),
    ]

    @Test(arguments: Self.corruptions.indices)
    func `every planted corruption is found and its row named`(index: Int) async throws {
        let (what, sql, broken) = Self.corruptions[index]
        let books = try await ProtectionTests.lively()
        let member = books.member()
        try await books.earn(10, .promotional, for: member)
        #expect(try await books.findings().isEmpty)
        try await books.owner.transaction { transaction in
            // Switches triggers off for this transaction: what only a superuser may.
            try await transaction.execute("set local session_replication_role = replica")
            #expect(try await transaction.execute(sql) > 0, "\(what)")
        }

        let findings = try await books.findings()
        let found = Set(findings.map(\.invariant))
        #expect(found.isSuperset(of: broken), "\(what): \(findings)")
        #expect(findings.allSatisfy { !$0.row.isEmpty && !$0.difference.isEmpty }, "\(what)")
    }

    @Test func `each invariant is told of before it is looked at`() async throws {
        let books = try await Books()
        let told = Signal<Invariant>()
        _ = try await VerifyLedger(database: books.database, clock: books.clock)(progress: { told.send($0) })
        #expect(try await told.next(Invariant.allCases.count) == Invariant.allCases)
    }

    @Test func `each invariant is broken by at least one of the corruptions`() {
        let broken = Self.corruptions.reduce(into: Set<Invariant>()) { $0.formUnion($1.broken) }
        #expect(broken == Set(Invariant.allCases))
    }

    @Test func `balances are listed page by page in the order of the members`() async throws {
        let books = try await Books()
        let members = (0..<25).map { _ in books.member() }
        try await books.post(try members.map { try books.receipt(of: $0, [.of(10, .promotional)]) })
        books.clock.advance(by: .seconds(40 * 86_400))
        try await books.earn(3, for: members[4])

        let list = try await ListBalances(database: books.database, clock: books.clock)()
        #expect(list.map(\.member) == members.sorted())
        #expect(list.map(\.available.amount).reduce(0, +) == 3)
        let rest = try await ListBalances(database: books.database, clock: books.clock)(after: list[19].member)
        #expect(rest == Array(list.dropFirst(20)))
    }
}

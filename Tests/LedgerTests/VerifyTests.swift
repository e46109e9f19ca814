import Contracts
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Ledger

/// Verification is shown one corruption after another, planted by a superuser with the triggers off.
@Suite(.ledger) struct VerifyTests {
    @Test(arguments: Corruption.all)
    func `every planted corruption is found and its row named`(corruption: Corruption) async throws {
        let books = try await ProtectionTests.lively()
        let member = books.member()
        try await books.earn(10, .promotional, for: member)
        try await books.seal()
        #expect(try await books.findings().isEmpty)
        try await books.owner.transaction { transaction in
            // Switches triggers off for this transaction: what only a superuser may.
            try await transaction.execute("set local session_replication_role = replica")
            #expect(try await transaction.execute(corruption.sql) > 0)
        }

        let findings = try await books.findings()
        let found = Set(findings.map(\.invariant))
        #expect(found.isSuperset(of: corruption.broken), "\(findings)")
        #expect(findings.allSatisfy { !$0.row.isEmpty && !$0.difference.isEmpty })
    }

    @Test func `each invariant is told of before it is looked at`() async throws {
        let books = try await Books()
        let told = Signal<Invariant>()
        _ = try await VerifyLedger(database: books.database, clock: books.clock)(progress: { progress in
            if case .begins(let invariant) = progress { told.send(invariant) }
        })
        #expect(try await told.next(Invariant.allCases.count) == Invariant.allCases)
    }

    @Test func `the recomputing of seals is told step by step`() async throws {
        let books = try await Books.small()
        try await books.seal()
        let told = Signal<VerifyLedger.Progress>()
        _ = try await VerifyLedger(database: books.database, clock: books.clock)(progress: { told.send($0) })
        let all = try await told.next(Invariant.allCases.count + 1)
        #expect(all.last == .recomputed(6, of: 6))
    }

    @Test func `each invariant is broken by at least one of the corruptions`() {
        let broken = Corruption.all.reduce(into: Set<Invariant>()) { $0.formUnion($1.broken) }
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

import Contracts
import FoundationEssentials
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Ledger

@Suite(.ledger) struct SealTests {
    @Test func `every sealed transaction is proven, and the proof checks without the books`() async throws {
        let books = try await Books.small()
        try await books.seal()
        let all = try await books.owner.query("select id, member_id from ledger.transaction").map {
            try $0.decode(LedgerTransaction.ID.self, Member.ID.self)
        }
        #expect(all.count == 6)
        for (id, member) in all {
            let json = try JSONEncoder().encode(try await books.proof(of: id, member: member))
            let proof = try JSONDecoder().decode(TransactionProof.self, from: json)
            #expect(proof.flaws() == [])
            #expect(proof.flaws(trusting: proof.key.id) == [])
            #expect(proof.flaws(trusting: proof.key.publicKey.description) == [])
            #expect(proof.flaws(trusting: "somebody else") == [.trust])
        }
        #expect(try await books.findings().isEmpty)
    }

    @Test func `a proof says what the feed says`() async throws {
        let books = try await Books()
        let member = books.member()
        let id = try await books.earn(12, for: member).transaction
        try await books.seal()
        let (proof, line) = (
            try await books.proof(of: id, member: member),
            try #require(try await books.account.transaction(id, of: member))
        )
        #expect(proof.transaction.member == member)
        #expect(proof.transaction.recordedAt == line.recordedAt)
        #expect(proof.transaction.effectiveAt == line.effectiveAt)
        #expect(proof.transaction.availableAfter == 12)
        #expect(
            proof.transaction.postings == [
                BookEntry.Posting(
                    line: 1, debit: "issued:purchase", credit: "member:available", amount: 12, lot: 1,
                    rule: "base-regular")
            ])
    }

    @Test func `a member is given no proof of somebody else's, nor one of what is not sealed`() async throws {
        let books = try await Books()
        let (member, stranger) = (books.member(), books.member())
        let id = try await books.earn(12, for: member).transaction
        #expect(try await books.prove(id, of: member) == .notSealed)
        try await books.seal()
        #expect(try await books.prove(id, of: stranger) == .unknown)
        #expect(try await books.prove(books.ids.next(), of: member) == .unknown)
        let late = try await books.earn(5, for: member).transaction
        #expect(try await books.prove(late, of: member) == .notSealed)
    }

    /// The horizon in slow motion: the first transaction is given its id and commits after others were sealed.
    @Test func `what began before a seal and commits after it is neither lost nor sealed early`() async throws {
        let books = try await Books()
        let (slow, quick) = (books.member(), books.member())
        try await books.earn(1, for: quick)
        try await books.seal()
        let receipt = try books.receipt(of: slow, [.of(100)])
        let late = try await books.database.transaction { transaction in
            let outcome = try #require(
                try await ReceiptStore().post([receipt], at: books.clock.now, in: transaction).first)
            let early = try await books.earn(2, for: quick).transaction
            try await books.sealer()()
            // The later one is committed, and yet not final: an id below it still runs.
            #expect(try await books.prove(early, of: quick) == .notSealed)
            #expect(try await books.count("select sum(transactions) from ledger.seal_block") == 1)
            return (early: early, slow: outcome.transaction)
        }
        #expect(try await books.prove(late.slow, of: slow) == .notSealed)
        try await books.seal()
        #expect(try await books.proof(of: late.slow, member: slow).flaws().isEmpty)
        #expect(try await books.proof(of: late.early, member: quick).flaws().isEmpty)
        #expect(try await books.count("select sum(transactions) from ledger.seal_block") == 3)
        #expect(try await books.findings().isEmpty)
    }

    /// What commits in another order than it began, seals between all of it.
    @Test func `every transaction is sealed exactly once, whatever the order of commits`() async throws {
        let books = try await Books()
        let members = (0..<6).map { _ in books.member() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for member in members {
                group.addTask {
                    for _ in 0..<15 { try await books.earn(1, for: member) }
                }
            }
            for _ in 0..<3 {
                group.addTask {
                    for _ in 0..<15 { try await books.sealer(blockSize: 4)() }
                }
            }
            try await group.waitForAll()
        }
        try await books.seal(blockSize: 4)
        #expect(try await books.count("select sum(transactions) from ledger.seal_block") == 90)
        #expect(
            try await books.count("select count(*) from ledger.seal_block")
                == books.count("select max(number) from ledger.seal_block"))
        #expect(try await books.findings().isEmpty)
    }

    @Test func `a block ends between database transactions, never inside of one`() async throws {
        let books = try await Books()
        let member = books.member()
        try await books.earn(1, for: member)
        try await books.post(try (0..<10).map { _ in try books.receipt(of: member, [.of(1)]) })
        for _ in 0..<4 { try await books.earn(1, for: member) }
        try await books.seal(blockSize: 3)
        let sizes = try await books.owner.query("select transactions from ledger.seal_block order by number")
            .map { try $0.decode(Int32.self) }
        #expect(sizes == [1, 10, 3, 1])
        #expect(try await books.findings().isEmpty)
    }

    @Test func `nothing new is no block`() async throws {
        let books = try await Books()
        #expect(try await books.sealer()() == 0)
        try await books.earn(1, for: books.member())
        try await books.seal()
        #expect(try await books.sealer()() == 0)
        #expect(try await books.count("select count(*) from ledger.seal_block") == 1)
    }

    @Test func `keys are changed without breaking old proofs`() async throws {
        let books = try await Books()
        let member = books.member()
        let first = try await books.earn(1, for: member).transaction
        try await books.seal("the first secret")
        let old = try await books.proof(of: first)
        books.clock.advance(by: .seconds(86_400))
        let second = try await books.earn(2, for: member).transaction
        try await books.seal("the second secret")

        let new = try await books.proof(of: second)
        #expect(old.key != new.key)
        #expect(try await books.proof(of: first) == old)
        #expect(old.flaws(trusting: old.key.id).isEmpty)
        #expect(new.flaws(trusting: new.key.id).isEmpty)
        #expect(new.flaws(trusting: old.key.id) == [.trust])
        #expect(try await ListSealKeys(database: books.database)().map(\.key) == [old.key, new.key])
        #expect(try await books.findings().isEmpty)
    }

    /// formancehq/ledger migration 53: seal blocks of two ledgers collided on a primary key.
    @Test func `A20 a block of one ledger is no block of another, though numbers and keys are the same`() throws {
        let key = try SealKey(Secret("one secret for both"))
        func block(after last: (Int64, HexBytes), _ range: Range<Int64>) throws -> SealedBlock {
            let leaves = [MerkleTree.leaf([7])]
            let block = try SealBlock(after: last, range: range, leaves: leaves, at: ManualClock().now, key: key)
            return SealedBlock(block: block, storedHash: block.hash, leaves: leaves, key: key.publicKey)
        }
        let ours = try block(after: (0, HexBytes(RandomBytes.system.next(32))), 0..<10)
        let theirs = try block(after: (0, HexBytes(RandomBytes.system.next(32))), 0..<10)
        #expect(ours.block.hash != theirs.block.hash)
        let second = try block(after: (1, theirs.block.hash), 10..<20)
        var chain = SealChain(after: ours.block)
        #expect(throws: SealChain.Break.self) { try chain.follow(second, []) }
    }

    @Test func `the database lets no block into the chain that leaves out, overtakes or does not follow`() async throws
    {
        let books = try await Books()
        try await books.earn(1, for: books.member())
        try await books.seal()
        try await books.earn(1, for: books.member())
        let last = try await books.owner.one("select hash, xid_to::text::bigint from ledger.seal_block")
            .decode([UInt8].self, Int64.self)
        let unsealed = try await books.count("select max(xid)::text::bigint from ledger.transaction")
        func append(
            number: Int64 = 2, from: Int64? = nil, to: Int64? = nil, transactions: Int32 = 1, previous: [UInt8]? = nil
        ) async throws {
            let zeros = [UInt8](repeating: 0, count: 32)
            try await books.database.execute(
                """
                select ledger.append_block(
                    \(number), \(from ?? last.1), \(to ?? unsealed + 1), \(books.clock.now), \(transactions),
                    'abcdefghijklmnop', \(zeros), \(previous ?? last.0), \(zeros), \(zeros), \(zeros + zeros),
                    \([UInt8](repeating: 0, count: 32 * Int(transactions))))
                """)
        }
        let attempts: [() async throws -> Void] = [
            { try await append(number: 3) }, { try await append(number: 1) },
            { try await append(previous: [UInt8](repeating: 1, count: 32)) }, { try await append(from: last.1 + 1) },
            { try await append(to: .max) }, { try await append(transactions: 2) },
        ]
        for attempt in attempts {
            let refusal = await #expect(throws: DatabaseError.self) { try await attempt() }
            #expect(refusal?.sqlState == "55000")
        }
        #expect(try await books.count("select count(*) from ledger.seal_block") == 1)
    }

    /// A logical copy in another cluster begins to count anew: its transactions would be taken for sealed ones.
    @Test func `a counter of transactions that went back is told of instead of sealing nothing for ever`() async throws
    {
        let books = try await Books()
        try await books.earn(1, for: books.member())
        try await books.seal()
        try await books.tamper("update ledger.seal_block set xid_to = '9000000000000000000'")
        try await books.earn(1, for: books.member())
        await #expect(throws: SealError.self) { try await books.sealer()() }
    }

    @Test(arguments: ["seal_key", "seal_block", "audit", "month", "month_balance"])
    func `no row of the evidence is changed or deleted, by the owner neither`(table: String) async throws {
        let books = try await Books()
        try await books.earn(1, for: books.member())
        try await books.seal()
        books.clock.advance(by: .seconds(40 * 86_400))
        try await books.closeMonths()
        try await books.auditor()()
        let name: SQL = "\(identifier: "ledger", table)"
        let column =
            table == "seal_key" ? "key_id" : table == "audit" ? "findings" : table == "seal_block" ? "root" : "held"
        #expect(try await books.count("select count(*) from \(fragment: name)") > 0)
        let statements: [SQL] = [
            "delete from \(fragment: name)", "truncate \(fragment: name) cascade",
            "update \(fragment: name) set \(identifier: column) = \(identifier: column)",
        ]
        for statement in statements {
            let refusal = await #expect(throws: DatabaseError.self) { try await books.owner.execute(statement) }
            #expect(refusal?.sqlState == "55000")
            let denial = await #expect(throws: DatabaseError.self) { try await books.database.execute(statement) }
            #expect(denial?.code == .insufficientPrivilege)
        }
    }
}

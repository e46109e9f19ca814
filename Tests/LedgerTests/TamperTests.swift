import Contracts
import FoundationEssentials
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Ledger

/// Somebody who may do everything changes what is sealed.
@Suite(.ledger) struct TamperTests {
    /// A change, and what verification says of the block: none of them is found by another invariant alone.
    private static let changes: [(what: String, sql: SQL, said: String)] = [
        (
            "a byte of a rule", "update ledger.posting set rule = 'base-regulas' where rule = 'base-regular'",
            "is not what"
        ),
        (
            "a time", "update ledger.transaction set effective_at = effective_at - interval '1 microsecond'",
            "is not what"
        ),
        ("a subject", "update ledger.transaction set subject = gen_random_uuid() where kind = 'hold'", "is not what"),
        ("an account's name", "update ledger.account set code = 'redeemed:yacht' where id = 40", "is not what"),
        ("a row less", "delete from ledger.transaction where version = 2", "are missing"),
        (
            "a row more",
            """
            insert into ledger.transaction
            select (jsonb_populate_record(t, '{"id": "01a20658-b488-7000-befc-ffe63a4182c1", "version": 99}')).*
            from ledger.transaction as t where version = 1
            """, "came later"
        ),
        (
            "a row moved behind the seal",
            "update ledger.transaction set xid = '9000000000000000000' where version = 3", "missing"
        ),
        ("a block's root", "update ledger.seal_block set root = sha256(root)", "its hash"),
        ("a block's hash", "update ledger.seal_block set hash = sha256(hash)", "its hash"),
        ("a block's signature", "update ledger.seal_block set signature = sha512(signature)", "its signature"),
        ("a block's leaves", "update ledger.seal_block set leaves = sha256('x') || substr(leaves, 33)", "its leaves"),
        ("the key", "update ledger.seal_key set public_key = sha256(public_key)", "its signature"),
        ("the first block", "delete from ledger.seal_block where number = 1", "after block 0"),
        ("a block in the middle", "delete from ledger.seal_block where number = 2", "after block 1"),
    ]

    @Test(arguments: Self.changes.indices)
    func `one byte of one old row is changed, and verification names the block`(index: Int) async throws {
        let (what, sql, said) = Self.changes[index]
        let books = try await Books.small()
        try await books.seal(blockSize: 2)
        #expect(try await books.count("select count(*) from ledger.seal_block") == 3)
        #expect(try await books.findings().isEmpty)
        #expect(try await books.tamper(sql) > 0, "\(what)")

        let finding = try #require(try await books.findings().first { $0.invariant == .sealsRecompute }, "\(what)")
        #expect(finding.row.hasPrefix("block "), "\(what)")
        #expect(finding.difference.contains(said), "\(what): \(finding)")
    }

    @Test func `of many blocks the one with the changed row is named, and the row`() async throws {
        let books = try await Books()
        let member = books.member()
        var ids: [LedgerTransaction.ID] = []
        for points in 1...9 { ids.append(try await books.earn(Int64(points), for: member).transaction) }
        try await books.seal(blockSize: 2)
        try await books.tamper("update ledger.posting set rule = 'another' where amount = 6")

        let finding = try #require(try await books.findings().first)
        #expect(finding.invariant == .sealsRecompute)
        #expect(finding.row == "block 3")
        #expect(finding.difference == "transaction \(ids[5]) is not what was sealed")
        #expect(
            try await books.prove(ids[5], of: member)
                == .broken("Transaction \(ids[5]) is not what was sealed in block 3."))
        #expect(try await books.proof(of: ids[4]).flaws().isEmpty)
    }

    /// A change of a proof's text, and what is then wrong with it.
    private static let forgeries: [(from: String, to: String, flaws: [TransactionProof.Flaw])] = [
        (#""amount":12"#, #""amount":13"#, [.root]),
        (#""availableAfter":12"#, #""availableAfter":99"#, [.root]),
        (#""rule":"base-regular""#, #""rule":"base-regulas""#, [.root]),
        (#""index":0"#, #""index":1"#, [.root]),
        (#""index":0"#, #""index":-1"#, [.root]),
        (#""path":[""#, #""path":["00"#, [.root]),
        (#""transactions":2"#, #""transactions":3"#, [.root, .signature]),
        (#""number":1,"previous""#, #""number":2,"previous""#, [.signature]),
        (#""format":"club.ledger.proof.v1""#, #""format":"club.ledger.proof.v9""#, [.format]),
        (#""xidFrom":0"#, #""xidFrom":9000000000000000000"#, [.range, .signature]),
        (#""id":"_""#, #""id":"abcdefghijklmnop""#, [.key]),
    ]

    @Test func `a proof that was changed anywhere does not hold`() async throws {
        let books = try await Books()
        let member = books.member()
        let first = try await books.earn(12, for: member).transaction
        try await books.earn(5, for: member)
        try await books.seal()
        let proof = try await books.proof(of: first)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let text = String(decoding: try encoder.encode(proof), as: UTF8.self)
        for (from, to, flaws) in Self.forgeries {
            let place = from.replacing("_", with: proof.key.id)
            #expect(text.contains(place), "\(place)")
            let forged = try JSONDecoder().decode(
                TransactionProof.self, from: Data(text.replacing(place, with: to, maxReplacements: 1).utf8))
            #expect(forged.flaws() == flaws, "\(to)")
        }
        let other = try SealKey(Secret("a forger's secret"))
        let stolen = try JSONDecoder().decode(
            TransactionProof.self,
            from: Data(
                text.replacing(proof.key.publicKey.description, with: other.publicKey.publicKey.description).utf8))
        #expect(stolen.flaws() == [.key, .signature])
    }
}

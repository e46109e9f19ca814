import ArgumentParser
import FoundationEssentials
import Kernel
import Testing

@testable import Club
@testable import Ledger

/// What the ledger's commands read from files and arguments; they need no system for it.
@Suite struct LedgerFileTests {
    private static let member = "01a20658-b488-7000-befc-ffe63a4182c1"
    private static let other = "01a20658-b488-7000-befc-ffe63a4182c2"

    private func read(_ text: String) throws -> StatedList { try StatedList(Data(text.utf8), name: "list.csv") }

    @Test func `balances are read by the names of their columns, whatever else stands there`() throws {
        let list = try self.read(
            "\u{FEFF}name,available,member\r\n\"Orlova, V.\",150,\(Self.member)\r\n\r\n,0,\(Self.other)\n")
        #expect(
            list
                == .balances([
                    StatedBalance(member: try #require(Member.ID(Self.member)), available: 150),
                    StatedBalance(member: try #require(Member.ID(Self.other)), available: 0),
                ]))
    }

    @Test func `receipts may leave out totals and points`() throws {
        let fiscal = try #require(FiscalID(fn: "9960440300000001", fd: 7, fpd: 49))
        #expect(
            try self.read("fn,fd,fpd\n9960440300000001,7,49\n")
                == .receipts([StatedReceipt(fiscal: fiscal, total: nil, points: nil)]))
        #expect(
            try self.read("fn,fd,fpd,total,points\n9960440300000001,7,49,100,\n")
                == .receipts([StatedReceipt(fiscal: fiscal, total: Kopecks(100), points: nil)]))
    }

    @Test(arguments: [
        ("", "list.csv, line 1: the columns are neither member,available nor fn,fd,fpd."),
        ("id,points\n", "list.csv, line 1: the columns are neither member,available nor fn,fd,fpd."),
        ("member,available\nsomebody,5\n", "list.csv, line 2: member cannot be read."),
        ("member,available\n\(member),5.0\n", "list.csv, line 2: available cannot be read."),
        ("member,available\n\(member)\n", "list.csv, line 2: available is missing."),
        ("member,available\n\(member),5\n\(member),5\n", "list.csv, line 3: the member was listed before."),
        ("fn,fd,fpd\n996044030000000,7,49\n", "list.csv, line 2: the fiscal triple is none."),
    ])
    func `what cannot be read is refused with its line`(text: String, sentence: String) {
        let failure = #expect(throws: CommandFailure.self) { try self.read(text) }
        #expect(failure == CommandFailure(.dataError, sentence))
    }

    @Test func `a day is Moscow's, and the last one belongs to the period`() throws {
        let day = try #require(PeriodEdge(argument: "2026-03-31"))
        #expect(day.begins == Timestamp("2026-03-30T21:00:00Z"))
        #expect(day.ends == Timestamp("2026-03-31T21:00:00Z"))
        let moment = try #require(PeriodEdge(argument: "2026-03-31T10:00:00Z"))
        #expect(moment.begins == moment.ends)
        #expect(PeriodEdge(argument: "yesterday") == nil)
        #expect(PeriodEdge(argument: "2026-02-30") == nil)
    }

    @Test func `a proof that is missing, none, or broken has a code each`() throws {
        func code(_ file: String) -> CommandFailure.Code? {
            do {
                try LedgerCommand.CheckProof.parse([file]).run()
                return nil
            } catch {
                return (error as? CommandFailure)?.code
            }
        }
        #expect(code("/nowhere/proof.json") == .noInput)
        let file = "/tmp/club-proof-\(UUID().uuidString).json"
        defer { try? FileManager.default.removeItem(atPath: file) }
        try Data("{}".utf8).write(to: URL(filePath: file))
        #expect(code(file) == .dataError)
    }

    @Test func `a proof is checked from its file alone, and against a key that one knows`() throws {
        let key = try SealKey(Secret("a secret of the tests"))
        let moment = try #require(Timestamp("2026-03-02T07:10:00Z"))
        let entry = BookEntry(
            id: try #require(LedgerTransaction.ID(Self.member)), member: try #require(Member.ID(Self.other)), number: 1,
            kind: "earn", subject: nil, effectiveAt: moment, recordedAt: moment, xid: 5, availableAfter: 0,
            pendingAfter: 0, heldAfter: 0, debtAfter: 0, postings: [])
        let leaves = [entry.leaf]
        let block = try SealBlock(
            after: (number: 0, hash: HexBytes([1])), range: 0..<6, leaves: leaves, at: moment, key: key)
        let proof = TransactionProof(entry, at: 0, of: leaves, in: block, key: key.publicKey)
        let file = "/tmp/club-proof-\(UUID().uuidString).json"
        defer { try? FileManager.default.removeItem(atPath: file) }
        let json = String(decoding: try JSONEncoder().encode(proof), as: UTF8.self)
        try Data(json.utf8).write(to: URL(filePath: file))
        try LedgerCommand.CheckProof.parse([file]).run()
        try LedgerCommand.CheckProof.parse([file, "--key", key.publicKey.id]).run()
        let failed = CommandFailure(.checkFailed, "The proof does not hold.")
        #expect(throws: failed) { try LedgerCommand.CheckProof.parse([file, "--key", "another"]).run() }
        let text = LedgerCommand.CheckProof.text(proof, [], isTrusted: false)
        #expect(text.contains("stands in block 1"))
        #expect(text.contains(block.hash.description))

        try Data(json.replacing("earn", with: "burn").utf8).write(to: URL(filePath: file))
        #expect(throws: failed) { try LedgerCommand.CheckProof.parse([file]).run() }
    }
}

import Contracts
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Ledger

@Suite(.ledger) struct ReconcileTests {
    @Test func `balances are compared both ways`() async throws {
        let books = try await Books()
        let members = (0..<5).map { _ in books.member() }
        for (index, member) in members.enumerated() { try await books.earn(Int64(index * 10), for: member) }
        let stranger = books.member()
        let reconcile = ReconcileBooks(database: books.database, clock: books.clock)

        let right = members.enumerated().map { StatedBalance(member: $0.element, available: Int64($0.offset * 10)) }
        #expect(try await reconcile(right) == [])
        // The first one has nothing: whoever does not list it says the same.
        #expect(try await reconcile(Array(right.dropFirst())) == [])
        #expect(try await reconcile(right + [StatedBalance(member: stranger, available: 0)]) == [])

        let wrong = [
            StatedBalance(member: members[1], available: 11), StatedBalance(member: stranger, available: 7),
            StatedBalance(member: members[2], available: 20), StatedBalance(member: members[3], available: 30),
        ]
        let found = try await reconcile(wrong)
        #expect(found.map(\.kind) == [.differs, .missingInBooks, .missingInFile])
        #expect(found.map(\.subject) == [members[1], stranger, members[4]].map(\.description))
        #expect(found.map(\.file) == ["11", "7", ""])
        #expect(found.map(\.books) == ["10", "", "40"])
    }

    @Test func `what has expired and is not written off is nothing on either side`() async throws {
        let books = try await Books()
        let member = books.member()
        try await books.earn(10, .promotional, for: member)
        books.clock.advance(by: .seconds(40 * 86_400))
        let reconcile = ReconcileBooks(database: books.database, clock: books.clock)
        #expect(try await reconcile([StatedBalance(member: member, available: 0)]) == [])
        #expect(try await reconcile([StatedBalance]()) == [])
        #expect(try await reconcile([StatedBalance(member: member, available: 10)]).map(\.kind) == [.differs])
    }

    @Test func `receipts are compared both ways, between the first and the last document of a drive`() async throws {
        let books = try await Books()
        let member = books.member()
        let receipts = try (0..<6).map { try books.receipt(of: member, [.of(Int64($0))]) }
        try await books.post(receipts)
        let reconcile = ReconcileBooks(database: books.database, clock: books.clock)
        func stated(_ index: Int, total: Int64? = 123_400, points: Int64? = nil) -> StatedReceipt {
            StatedReceipt(
                fiscal: receipts[index].fiscal, total: total.flatMap { Kopecks($0) }, points: points ?? Int64(index))
        }
        #expect(try await reconcile((0..<6).map { stated($0) }) == [])
        // What lies outside of the listed documents is not asked about.
        #expect(try await reconcile((1..<4).map { stated($0) }) == [])
        #expect(try await reconcile([StatedReceipt(fiscal: receipts[2].fiscal, total: nil, points: nil)]) == [])

        let unknown = try #require(FiscalID(fn: "9960440300000001", fd: 999, fpd: 1))
        let found = try await reconcile([
            stated(0), stated(1, total: 5), stated(2, points: 7),
            StatedReceipt(fiscal: unknown, total: Kopecks(1), points: nil), stated(4), stated(5),
        ])
        #expect(found.map(\.kind) == [.differs, .differs, .missingInBooks, .missingInFile])
        #expect(
            found.map(\.subject)
                == [receipts[1].fiscal, receipts[2].fiscal, unknown, receipts[3].fiscal].map(\.description))
        #expect(found[0].file == "total 5, points 1")
        #expect(found[0].books == "total 123400, points 1")
        #expect(found[1].books == "total 123400, points 2")
    }
}

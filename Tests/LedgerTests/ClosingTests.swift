import Contracts
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Ledger

@Suite(.ledger) struct ClosingTests {
    /// What the closing of a month says of a member.
    private func closing(_ month: String, of member: Member.ID, _ books: Books) async throws -> [Int64]? {
        try await books.owner.first(
            """
            select version, available, held from ledger.month_balance
            where month = \(month)::text::date and member_id = \(member)
            """
        ).map { row in
            let (version, available, held) = try row.decode(Int64.self, Int64.self, Int64.self)
            return [version, available, held]
        }
    }

    @Test func `a month is closed at the midnight of Moscow, an hour after it and once`() async throws {
        let books = try await Books(ManualClock(try #require(Timestamp("2026-03-31T20:59:59.999Z"))))
        let (member, other) = (books.member(), books.member())
        try await books.earn(100, for: member)
        books.clock.set(to: try #require(Timestamp("2026-03-31T21:00:00Z")))
        try await books.earn(7, for: member)
        try await books.place(books.ids.next(), 7, for: member)
        try await books.earn(5, for: other)
        #expect(try await books.closeMonths() == 0)

        books.clock.set(to: try #require(Timestamp("2026-03-31T22:00:00Z")))
        #expect(try await books.closeMonths() == 1)
        #expect(try await books.closeMonths() == 0)
        #expect(try await self.closing("2026-03-01", of: member, books) == [1, 100, 0])
        #expect(try await self.closing("2026-03-01", of: other, books) == nil)
        #expect(try await books.count("select available from ledger.month") == 100)

        books.clock.set(to: try #require(Timestamp("2026-06-30T22:00:00Z")))
        #expect(try await books.closeMonths() == 3)
        #expect(try await self.closing("2026-04-01", of: member, books) == [3, 100, 7])
        #expect(try await self.closing("2026-05-01", of: member, books) == nil)
        let totals = try await books.owner.query(
            "select members, available + held from ledger.month order by month"
        ).map { try $0.decode(Int64.self, Int64.self) }.map { [$0, $1] }
        #expect(totals == [[1, 100], [2, 112], [2, 112], [2, 112]])
        let months = try await ListMonths(database: books.database)()
        #expect(months.map(\.month) == ["2026-03", "2026-04", "2026-05", "2026-06"])
        #expect(months.map(\.held) == [0, 7, 7, 7])
        #expect(try await books.findings().isEmpty)
    }

    @Test func `processes that close the same month at once close it once, and rightly`() async throws {
        let books = try await Books()
        let members = (0..<40).map { _ in books.member() }
        try await books.post(try members.map { try books.receipt(of: $0, [.of(3)]) })
        books.clock.advance(by: .seconds(31 * 86_400))
        let closed = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<4 { group.addTask { try await books.closeMonths() } }
            return try await group.reduce(0, +)
        }
        #expect(closed == 1)
        #expect(try await books.count("select available from ledger.month") == 120)
        #expect(try await books.findings().isEmpty)
    }

    private static let falsified: [SQL] = [
        "update ledger.month set available = available + 1",
        "update ledger.month_balance set available = available + 1",
        "delete from ledger.month_balance",
        "update ledger.month_balance set version = 1",
    ]

    @Test(arguments: Self.falsified.indices) func `a falsified closing is found`(index: Int) async throws {
        let books = try await Books()
        let member = books.member()
        try await books.earn(100, for: member)
        try await books.earn(10, for: member)
        books.clock.advance(by: .seconds(31 * 86_400))
        try await books.closeMonths()
        #expect(try await books.findings().isEmpty)
        try await books.tamper(Self.falsified[index])
        #expect(try await books.findings().map(\.invariant) == [.balancesFollowPostings])
    }
}

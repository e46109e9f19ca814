import Contracts
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Ledger

@Suite(.ledger) struct AdjustmentTests {
    private func request(
        _ books: Books, _ points: Int64, of member: Member.ID, maker: Staff.ID,
        cause: RequestAdjustment.Cause = .correction
    ) async throws -> LedgerTransfer.ID {
        let id = books.transferID()
        try await books.apply(
            .requestAdjustment(
                RequestAdjustment(
                    id: id, member: member, points: points, cause: cause, maker: maker, ticket: "T-1", reason: "twice"))
        )
        return id
    }

    private func decide(
        _ books: Books, _ adjustment: LedgerTransfer.ID, of member: Member.ID, checker: Staff.ID, approves: Bool = true
    ) async throws -> TransferOutcome {
        try await books.apply(
            .decideAdjustment(
                DecideAdjustment(
                    id: books.transferID(), member: member, adjustment: adjustment, checker: checker,
                    approves: approves)))
    }

    @Test func `a correction changes nothing before another person approves it`() async throws {
        let books = try await Books()
        let (member, maker, checker) = (books.member(), books.ids.next(Staff.self), books.ids.next(Staff.self))
        try await books.earn(10, for: member)
        let given = try await self.request(books, 500, of: member, maker: maker)
        #expect(try await books.available(member) == 10)
        #expect(try await self.decide(books, given, of: member, checker: maker).refusal == .samePerson)
        #expect(try await books.available(member) == 10)

        let approved = try await self.decide(books, given, of: member, checker: checker)
        #expect(approved.result?.state == .approved)
        #expect(approved.result?.available == Points(510))
        #expect(try await self.decide(books, given, of: member, checker: checker).refusal == .alreadyDecided)
        #expect(
            try await books.account.lots(of: member).flatMap(\.classes).map(\.lotClass) == ["adjustment", "regular"])
        #expect(try await books.total("adjustment") == -500)
        #expect(try await books.findings().isEmpty)
    }

    /// Whoever gets past the function: the table refuses the same person twice.
    @Test func `the table itself wants four eyes`() async throws {
        let books = try await Books()
        let (member, maker) = (books.member(), books.ids.next(Staff.self))
        try await books.earn(10, for: member)
        let id = try await self.request(books, 500, of: member, maker: maker)
        let refusal = await #expect(throws: DatabaseError.self) {
            try await books.owner.execute(
                """
                update ledger.adjustment
                set state = 'rejected', checker = maker, decided_at = now() where adjustment_id = \(id)
                """)
        }
        #expect(refusal?.constraint == "adjustment_four_eyes")
    }

    @Test func `a decided correction stays as it was decided`() async throws {
        let books = try await Books()
        let (member, maker) = (books.member(), books.ids.next(Staff.self))
        try await books.earn(10, for: member)
        let id = try await self.request(books, -5, of: member, maker: maker)
        _ = try await self.decide(books, id, of: member, checker: books.ids.next(), approves: false)
        let changes: [SQL] = [
            "update ledger.adjustment set decided_at = now()", "delete from ledger.adjustment",
            "update ledger.adjustment set state = 'requested', checker = null, decided_at = null",
        ]
        for change in changes {
            let refusal = await #expect(throws: DatabaseError.self) { try await books.owner.execute(change) }
            #expect(refusal?.sqlState == "55000")
        }
        #expect(try await books.available(member) == 10)
    }

    @Test func `more than there is cannot be taken, and the request waits`() async throws {
        let books = try await Books()
        let (member, maker) = (books.member(), books.ids.next(Staff.self))
        try await books.earn(10, for: member)
        let id = try await self.request(books, -15, of: member, maker: maker)
        #expect(try await self.decide(books, id, of: member, checker: books.ids.next()).refusal == .insufficientPoints)
        try await books.earn(10, for: member)
        #expect(try await self.decide(books, id, of: member, checker: books.ids.next()).result?.available == Points(5))
        #expect(try await books.findings().isEmpty)
    }

    @Test func `goodwill is printed as such, and never taken`() async throws {
        let books = try await Books()
        let member = books.member()
        try await books.adjust(300, of: member, cause: .goodwill)
        #expect(try await books.total("issued:goodwill") == -300)
        #expect(try await books.account.lots(of: member).flatMap(\.classes).map(\.lotClass) == ["goodwill"])
        await #expect(throws: DatabaseError.self) { try await books.adjust(-1, of: member, cause: .goodwill) }
        #expect(try await books.findings().isEmpty)
    }
}

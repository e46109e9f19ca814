import Contracts
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Ledger

/// An online order is paid parcel by parcel: several captures of one hold until it is closed.
@Suite(.ledger) struct PartialCaptureTests {
    private let books: Books
    private let member: Member.ID
    private let hold: Hold.ID

    init() async throws {
        self.books = try await Books()
        self.member = self.books.member()
        self.hold = self.books.ids.next()
    }

    private func begin(_ points: Int64 = 120, seconds: Int64 = 600) async throws {
        try await self.books.earn(50, .promotional, for: self.member)
        try await self.books.earn(100, for: self.member)
        try await self.books.place(self.hold, points, for: self.member, seconds: seconds)
    }

    private func part(_ points: Int64, id: LedgerTransfer.ID? = nil) throws -> Transfer {
        .capture(
            CaptureHold(
                part: id ?? self.books.transferID(), of: self.hold, member: self.member,
                points: try #require(Points(points))))
    }

    @Test func `parts are burnt one by one, and closing gives the rest back to the same lots`() async throws {
        try await self.begin()
        let first = try await self.books.apply(try self.part(30))
        #expect(first.result?.captured == Points(30))
        #expect(try await self.books.account.balance(of: self.member).held == Points(90))
        try await self.books.apply(try self.part(40))
        #expect(try await self.books.findings().isEmpty)

        let closed = try await self.books.capture(self.hold, 10, of: self.member)
        guard case .captured(_, let points, let released, let available) = closed else {
            Issue.record("\(closed)")
            return
        }
        #expect([points.amount, released.amount, available.amount] == [10, 40, 70])
        // The promotional points went first, the regular ones came back.
        #expect(try await self.books.account.lots(of: self.member).map(\.points.amount) == [70])
        #expect(try await self.books.total("redeemed:till") == 80)
        #expect(try await self.books.capture(self.hold, 10, of: self.member) == closed)
        #expect(try await self.books.findings().isEmpty)
    }

    @Test func `a void after parts gives back what is left, and again the same answer`() async throws {
        try await self.begin()
        try await self.books.apply(try self.part(70))
        let voided = try await self.books.void(self.hold, of: self.member)
        #expect(voided == .voided(released: try #require(Points(50)), available: try #require(Points(80))))
        #expect(try await self.books.void(self.hold, of: self.member) == voided)
        #expect(try await self.books.capture(self.hold, 1, of: self.member) == .refused(.holdVoided))
        #expect(try await self.books.apply(try self.part(1)).refusal == .holdVoided)
        #expect(try await self.books.findings().isEmpty)
    }

    @Test func `a hold whose time is over after parts gives back the rest`() async throws {
        try await self.begin(seconds: 60)
        try await self.books.apply(try self.part(70))
        self.books.clock.advance(by: .seconds(60))
        #expect(try await self.books.upkeep.voidExpiredHolds() == 1)
        #expect(try await self.books.available(self.member) == 80)
        #expect(try await self.books.apply(try self.part(1)).refusal == .holdExpired)
        #expect(try await self.books.findings().isEmpty)
    }

    @Test func `the last part closes the hold`() async throws {
        try await self.begin()
        try await self.books.apply([try self.part(70), try self.part(50)])
        #expect(try await self.books.apply(try self.part(1)).refusal == .exceedsHold)
        #expect(try await self.books.void(self.hold, of: self.member) == .refused(.holdCaptured))
        #expect(try await self.books.count("select count(*) from ledger.hold where state = 'captured'") == 1)
        #expect(try await self.books.findings().isEmpty)
    }

    @Test func `a part is captured once, and its id is of no other use`() async throws {
        try await self.begin()
        let id = self.books.transferID()
        let first = try await self.books.apply(try self.part(30, id: id))
        #expect(try await self.books.apply(try self.part(30, id: id)) == first)
        #expect(try await self.books.apply(try self.part(31, id: id)).refusal == .holdMismatch)
        try await self.books.void(self.hold, of: self.member)
        #expect(try await self.books.apply(try self.part(30, id: id)) == first)
        #expect(try await self.books.total("redeemed:till") == 30)
    }

    /// blnkfinance/blnk PR 171: concurrent commits of one hold read the same amount left.
    @Test func `A14 parts at once never capture more than is held`() async throws {
        try await self.begin()
        let parts = try (0..<12).map { _ in try self.part(25) }
        let outcomes = try await withThrowingTaskGroup(of: TransferOutcome.self) { [books] group in
            for part in parts { group.addTask { try await books.apply(part) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.filter { $0.result != nil }.count == 4)
        #expect(outcomes.filter { $0.refusal == .exceedsHold }.count == 8)
        #expect(try await self.books.account.balance(of: self.member).held == Points(20))
        #expect(try await self.books.findings().isEmpty)
    }

    /// blnkfinance/blnk #195: a hold that was placed in bulk could not be committed.
    @Test func `A15 a hold placed in a batch is captured like any other`() async throws {
        try await self.books.earn(500, for: self.member)
        let holds = (0..<5).map { _ in self.books.ids.next(Hold.self) }
        let hundred = try #require(Points(100))
        try await self.books.apply(
            holds.map {
                .hold(
                    PlaceHold(hold: $0, member: self.member, points: hundred, purpose: .online, expiresInSeconds: 60))
            })
        for hold in holds { #expect(try await self.books.capture(hold, of: self.member).isCaptured) }
        #expect(try await self.books.total("redeemed:online") == 500)
        #expect(try await self.books.findings().isEmpty)
    }
}

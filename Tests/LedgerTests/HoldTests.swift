import Contracts
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Ledger

@Suite(.ledger) struct HoldTests {
    @Test func `a hold takes what expires first, and a part captured gives the rest back to the same lots`()
        async throws
    {
        let books = try await Books()
        let member = books.member()
        try await books.earn(100, for: member)
        try await books.earn(50, .promotional, for: member)
        let hold: Hold.ID = books.ids.next()

        let placed = try await books.place(hold, 80, for: member)
        #expect(placed == .placed(available: try #require(Points(70)), expiresAt: books.clock.now + .seconds(600)))
        #expect(try await books.account.balance(of: member).held == Points(80))
        #expect(try await books.account.lots(of: member).map(\.points.amount) == [70])

        let captured = try await books.capture(hold, 60, of: member)
        guard case .captured(let transaction, let points, let released, let available) = captured else {
            Issue.record("\(captured)")
            return
        }
        #expect([points.amount, released.amount, available.amount] == [60, 20, 90])
        #expect(try await books.account.lots(of: member).map(\.points.amount) == [90])
        let line = try #require(try await books.account.transaction(transaction, of: member))
        #expect(line.kind == .capture)
        #expect(line.points == Points(60))
        #expect(line.change == 20)
        #expect(line.hold == FeedHold(id: hold, purpose: "till"))
        #expect(line.movements.map(\.to) == ["redeemed:till", "redeemed:till", "member:available"])
        #expect(try await books.findings().isEmpty)
    }

    @Test func `a void gives everything back to the lots it came from`() async throws {
        let books = try await Books()
        let member = books.member()
        try await books.earn(100, for: member)
        try await books.earn(50, .promotional, for: member)
        let before = try await books.account.lots(of: member)
        let hold: Hold.ID = books.ids.next()
        try await books.place(hold, 80, for: member)

        let voided = try await books.void(hold, of: member)
        #expect(voided == .voided(released: try #require(Points(80)), available: try #require(Points(150))))
        #expect(try await books.account.lots(of: member) == before)
        #expect(try await books.findings().isEmpty)
    }

    /// blnkfinance/blnk #181: six holds of 1000 were placed on 5000.
    @Test func `A12 sixteen spenders at once cannot hold more than there is`() async throws {
        let books = try await Books()
        let member = books.member()
        try await books.earn(5000, for: member)
        let holds = (0..<16).map { _ in books.ids.next(Hold.self) }
        let replies = try await withThrowingTaskGroup(of: PlaceHold.Reply.self) { group in
            for hold in holds { group.addTask { try await books.place(hold, 1000, for: member) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }

        #expect(replies.filter(\.isPlaced).count == 5)
        let balance = try await books.account.balance(of: member)
        #expect(balance.available == .zero)
        #expect(balance.held == Points(5000))
        #expect(try await books.findings().isEmpty)
    }

    /// The race in slow motion: the second spender comes while the first one's hold is not committed.
    @Test func `A12 a spender waits for another's hold and then counts it`() async throws {
        let books = try await Books()
        let member = books.member()
        try await books.earn(100, for: member)
        let (first, second) = (books.ids.next(Hold.self), books.ids.next(Hold.self))
        try await withThrowingTaskGroup(of: PlaceHold.Reply.self) { group in
            try await books.database.transaction { transaction in
                let call = PlaceHold(
                    hold: first, member: member, points: try #require(Points(60)), purpose: .till,
                    expiresInSeconds: 600)
                _ = try await ReservePoints(clock: books.clock)(call, in: transaction)
                group.addTask { try await books.place(second, 60, for: member) }
                try await eventually("the second spender waits for a lock", isTrue: books.isAnybodyWaiting)
            }
            #expect(try await group.next() == .refused(.insufficientPoints, available: Points(40)))
        }
        #expect(try await books.account.balance(of: member).held == Points(60))
        #expect(try await books.findings().isEmpty)
    }

    /// blnkfinance/blnk #182: a rejected hold could still be committed.
    @Test func `A13 a refused hold can be neither captured nor voided, nor tried again under its id`() async throws {
        let books = try await Books()
        let member = books.member()
        try await books.earn(10, for: member)
        let hold: Hold.ID = books.ids.next()

        let refusal = PlaceHold.Reply.refused(.insufficientPoints, available: Points(10))
        #expect(try await books.place(hold, 11, for: member) == refusal)
        try await books.earn(100, for: member)
        #expect(try await books.place(hold, 11, for: member) == refusal)
        #expect(try await books.capture(hold, of: member) == .refused(.unknownHold))
        #expect(try await books.void(hold, of: member) == .refused(.unknownHold))
        #expect(try await books.available(member) == 110)
        #expect(try await books.findings().isEmpty)
    }

    /// blnkfinance/blnk PR 171: concurrent commits of one hold read the same amount left.
    @Test func `A14 captures of one hold at once burn it once`() async throws {
        let books = try await Books()
        let member = books.member()
        try await books.earn(100, for: member)
        let hold: Hold.ID = books.ids.next()
        try await books.place(hold, 80, for: member)
        let amounts: [Int64] = (1...16).map { $0 * 5 }
        let replies = try await withThrowingTaskGroup(of: CaptureHold.Reply.self) { group in
            for amount in amounts { group.addTask { try await books.capture(hold, amount, of: member) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }

        #expect(replies.filter(\.isCaptured).count == 1)
        #expect(replies.filter { $0 == .refused(.holdMismatch) }.count == 15)
        #expect(try await books.count("select count(*) from ledger.transaction where kind = 'capture'") == 1)
        #expect(try await books.account.balance(of: member).held == .zero)
        #expect(try await books.findings().isEmpty)
    }

    @Test func `every answer is given again as it was`() async throws {
        let books = try await Books()
        let member = books.member()
        try await books.earn(100, for: member)
        let hold: Hold.ID = books.ids.next()
        let placed = try await books.place(hold, 30, for: member)
        let captured = try await books.capture(hold, 10, of: member)
        try await books.earn(1000, for: member)
        books.clock.advance(by: .seconds(86_400))

        #expect(try await books.place(hold, 30, for: member) == placed)
        #expect(try await books.capture(hold, 10, of: member) == captured)
        #expect(try await books.capture(hold, of: member) == .refused(.holdMismatch))
        #expect(try await books.void(hold, of: member) == .refused(.holdCaptured))
        #expect(try await books.place(hold, 31, for: member) == .refused(.holdMismatch, available: Points(1090)))
        #expect(try await books.findings().isEmpty)
    }

    @Test func `a hold of somebody else is unknown`() async throws {
        let books = try await Books()
        let (member, stranger) = (books.member(), books.member())
        try await books.earn(100, for: member)
        try await books.earn(100, for: stranger)
        let hold: Hold.ID = books.ids.next()
        try await books.place(hold, 30, for: member)

        #expect(try await books.capture(hold, of: stranger) == .refused(.unknownHold))
        #expect(try await books.void(hold, of: stranger) == .refused(.unknownHold))
        #expect(try await books.place(hold, 30, for: stranger) == .refused(.holdMismatch, available: Points(100)))
        #expect(
            try await books.place(books.ids.next(), 1, for: books.member()) == .refused(.unknownMember, available: nil))
        #expect(try await books.place(books.ids.next(), 0, for: member) == .refused(.noPoints, available: nil))
        #expect(try await books.capture(hold, 31, of: member) == .refused(.exceedsHold))
        #expect(try await books.capture(hold, 0, of: member) == .refused(.noPoints))
        #expect(try await books.findings().isEmpty)
    }

    @Test func `a hold whose time is over is voided by the sweep and cannot be captured`() async throws {
        let books = try await Books()
        let members = (0..<3).map { _ in books.member() }
        var holds: [Hold.ID] = []
        for member in members {
            try await books.earn(100, for: member)
            holds.append(books.ids.next())
            try await books.place(try #require(holds.last), 40, for: member, seconds: member == members[2] ? 7200 : 600)
        }
        books.clock.advance(by: .seconds(600))

        #expect(try await books.upkeep.voidExpiredHolds() == 2)
        #expect(try await books.upkeep.voidExpiredHolds() == 0)
        #expect(try await books.available(members[0]) == 100)
        #expect(try await books.available(members[2]) == 60)
        #expect(try await books.capture(holds[0], of: members[0]) == .refused(.holdExpired))
        #expect(
            try await books.void(holds[1], of: members[1])
                == .voided(
                    released: try #require(Points(40)), available: try #require(Points(100))))
        #expect(try await books.capture(holds[2], of: members[2]).isCaptured)
        #expect(try await books.findings().isEmpty)
    }

    @Test func `a capture that comes too late gives the points back before the sweep does`() async throws {
        let books = try await Books()
        let member = books.member()
        try await books.earn(100, for: member)
        let hold: Hold.ID = books.ids.next()
        try await books.place(hold, 40, for: member, seconds: 60)
        books.clock.advance(by: .seconds(60))

        #expect(try await books.capture(hold, of: member) == .refused(.holdExpired))
        #expect(try await books.available(member) == 100)
        #expect(try await books.upkeep.voidExpiredHolds() == 0)
        #expect(try await books.findings().isEmpty)
    }

    @Test func `a hold beats expiry, and what comes back from it too late lives another 14 days`() async throws {
        let books = try await Books()
        let member = books.member()
        try await books.earn(50, .promotional, for: member)
        try await books.earn(100, for: member)
        let hold: Hold.ID = books.ids.next()
        try await books.place(hold, 60, for: member, seconds: 30 * 86_400)
        books.clock.advance(by: .seconds(32 * 86_400))
        try await books.upkeep.expirePoints()
        #expect(try await books.account.balance(of: member).held == Points(60))

        try await books.upkeep.voidExpiredHolds()
        let days = try await books.account.lots(of: member)
        #expect(days.map { $0.classes.map(\.lotClass) } == [["grace"], ["regular"]])
        #expect(days.map(\.points.amount) == [50, 100])
        #expect(days.first?.expiresAt == Timestamp("2026-04-17T21:00:00Z"))
        #expect(try await books.findings().isEmpty)
    }
}

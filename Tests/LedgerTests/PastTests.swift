import Contracts
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Ledger

/// What a member had, by either of the two times.
@Suite(.ledger) struct PastTests {
    private static let day = Duration.seconds(86_400)

    @Test func `what was known then and what had happened then are two answers`() async throws {
        let books = try await Books()
        let member = books.member()
        let start = books.clock.now
        try await books.earn(100, for: member)
        books.clock.advance(by: Self.day * 5)
        // A receipt that comes three days late.
        try await books.post([
            try books.receipt(of: member, [.of(40)], effectiveAt: books.clock.now - Self.day * 3)
        ])

        func available(_ moment: Timestamp, _ basis: PastBalance.Basis) async throws -> Int64 {
            try await books.account.balance(of: member, at: moment, by: basis).available
        }
        #expect(try await available(start - Self.day, .recorded) == 0)
        #expect(try await available(start - Self.day, .effective) == 0)
        #expect(try await available(start, .recorded) == 100)
        #expect(try await available(start + Self.day * 3, .recorded) == 100)
        #expect(try await available(start + Self.day * 3, .effective) == 140)
        #expect(try await available(start + Self.day, .effective) == 100)
        #expect(try await available(books.clock.now, .recorded) == 140)
        #expect(try await available(books.clock.now - .microseconds(1), .recorded) == 100)
        #expect(try await available(start + Self.day * 2, .effective) == 140)
        #expect(try await available(start + Self.day * 2 - .microseconds(1), .effective) == 100)
    }

    /// Expired points are written off some time after their end: the effective time tells the difference.
    @Test func `what has expired is gone at its midnight by effective time, and at the sweep by the books`()
        async throws
    {
        let books = try await Books(ManualClock(try #require(Timestamp("2026-01-15T09:00:00Z"))))
        let member = books.member()
        try await books.earn(100, .promotional, for: member)
        let midnight = try #require(Timestamp("2026-02-14T21:00:00Z"))
        books.clock.set(to: midnight + .seconds(600))
        try await books.upkeep.expirePoints()

        for (moment, effective, recorded) in [
            (midnight - .microseconds(1), 100, 100), (midnight, 0, 100), (midnight + .seconds(600), 0, 0),
        ] as [(Timestamp, Int64, Int64)] {
            #expect(try await books.account.balance(of: member, at: moment, by: .effective).available == effective)
            #expect(try await books.account.balance(of: member, at: moment, by: .recorded).available == recorded)
        }
    }

    @Test(arguments: UInt64(1)...3)
    func `after every step of a random history the past stays as it was told`(seed: UInt64) async throws {
        let books = try await Books(seed: seed)
        let member = books.member()
        var random = Dice(seed: seed)
        var told: [(at: Timestamp, balance: PastBalance)] = []
        try await books.earn(0, for: member)
        for _ in 0..<25 {
            switch Int.random(in: 0..<4, using: &random) {
            case 0: try await books.place(books.ids.next(), Int64.random(in: 1...50, using: &random), for: member)
            case 1: try await books.upkeep.round()
            default:
                try await books.earn(
                    Int64.random(in: 0...100, using: &random), Bool.random(using: &random) ? .regular : .promotional,
                    for: member)
            }
            let row = try await books.owner.one(
                "select available, pending, held, debt from ledger.member where member_id = \(member)")
            // The clock may lag behind what was recorded in the same moment.
            books.clock.advance(by: .seconds(Int64.random(in: 1...(4 * 86_400), using: &random)))
            told.append((books.clock.now - .microseconds(1), try PastBalance(row: row)))
        }
        for (moment, balance) in told {
            #expect(try await books.account.balance(of: member, at: moment, by: .recorded) == balance, "seed \(seed)")
        }
        #expect(try await books.account.balance(of: member, at: books.clock.now, by: .effective) == told.last?.balance)
    }

    @Test func `the balance names the open holds and what they are for, the first to run out first`() async throws {
        let books = try await Books()
        let member = books.member()
        try await books.earn(100, for: member)
        let (long, short, gone) = (books.ids.next(Hold.self), books.ids.next(Hold.self), books.ids.next(Hold.self))
        try await books.place(long, 20, for: member, seconds: 900)
        try await books.place(short, 30, for: member, seconds: 60)
        try await books.place(gone, 40, for: member)
        try await books.void(gone, of: member)
        let other = books.member()
        try await books.earn(5, for: other)
        try await books.place(books.ids.next(), 5, for: other)

        let balance = try await books.account.balance(of: member)
        #expect(balance.holds.map(\.id) == [short, long])
        #expect(balance.holds.map(\.points.amount) == [30, 20])
        #expect(balance.holds.map(\.purpose) == ["till", "till"])
        #expect(balance.holds.map(\.expiresAt) == [books.clock.now + .seconds(60), books.clock.now + .seconds(900)])
        #expect(balance.holds.map(\.placedAt) == [books.clock.now, books.clock.now])
        #expect(balance.holds.reduce(0) { $0 + $1.points.amount } == balance.held.amount)
    }

    @Test func `the balance says what matures when, and of a hold only what is still reserved`() async throws {
        let books = try await Books()
        let member = books.member()
        let (soon, late) = (books.clock.now + .seconds(86_400), books.clock.now + .seconds(3 * 86_400))
        try await books.post([
            try books.receipt(of: member, [.of(100, maturing: late), .of(20)]),
            try books.receipt(of: member, [.of(5, maturing: soon), .of(7, .promotional, maturing: soon)]),
        ])
        let balance = try await books.account.balance(of: member)
        #expect(
            try balance.maturing == [
                MaturingDay(maturesAt: soon, points: #require(Points(12))),
                MaturingDay(maturesAt: late, points: #require(Points(100))),
            ])
        #expect(balance.maturing.reduce(0) { $0 + $1.points.amount } == balance.pending.amount)
        books.clock.set(to: soon)
        try await books.upkeep.maturePoints()
        #expect(try await books.account.balance(of: member).maturing.map(\.points.amount) == [100])
    }

    @Test func `the feed is filtered by kind and by what it is about`() async throws {
        let books = try await Books()
        let member = books.member()
        let receipt = try books.receipt(of: member, [.of(100)])
        try await books.post([receipt, try books.receipt(of: member, [.of(1)])])
        let hold: Hold.ID = books.ids.next()
        try await books.place(hold, 20, for: member)
        try await books.capture(hold, 5, of: member)

        func lines(_ query: FeedQuery) async throws -> [TransactionKind] {
            try await books.account.feed(of: member, query).map(\.kind)
        }
        #expect(try await lines(FeedQuery(kinds: [.earn], limit: 10)) == [.earn, .earn])
        #expect(try await lines(FeedQuery(kinds: [.capture, .hold], limit: 10)) == [.capture, .hold])
        #expect(try await lines(FeedQuery(direction: .outgoing, kinds: [.earn, .hold], limit: 10)) == [.hold])
        #expect(try await lines(FeedQuery(direction: .outgoing, kinds: [.earn], limit: 10)) == [])
        #expect(try await lines(FeedQuery(subject: Identifier(hold.raw), limit: 10)) == [.capture, .hold])
        #expect(try await lines(FeedQuery(subject: Identifier(receipt.receipt.raw), limit: 10)) == [.earn])
        #expect(try await lines(FeedQuery(subject: Identifier(member.raw), limit: 10)) == [])
    }
}

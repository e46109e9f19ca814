import Contracts
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Ledger

@Suite(.ledger) struct ExpiryTests {
    private static let deadlines: [(credited: String, lotClass: LotClass, expires: String)] = [
        // Six months to the end of the month, by Moscow's calendar: 21:00 UTC is its midnight.
        ("2026-01-15T09:00:00Z", .regular, "2026-07-31T21:00:00Z"),
        ("2026-01-31T20:59:59Z", .regular, "2026-07-31T21:00:00Z"),
        ("2026-01-31T21:00:00Z", .regular, "2026-08-31T21:00:00Z"),
        ("2026-08-31T12:00:00Z", .regular, "2027-02-28T21:00:00Z"),
        ("2027-08-31T12:00:00Z", .regular, "2028-02-29T21:00:00Z"),
        ("2026-12-31T20:59:59Z", .regular, "2027-06-30T21:00:00Z"),
        ("2026-12-31T21:00:00Z", .regular, "2027-07-31T21:00:00Z"),
        // Thirty days to the end of the day.
        ("2026-03-01T20:59:59Z", .promotional, "2026-03-31T21:00:00Z"),
        ("2026-03-01T21:00:00Z", .promotional, "2026-04-01T21:00:00Z"),
    ]

    /// Kademi/kademi-dev #4759: expiry was shifted by the time zone.
    @Test(arguments: deadlines)
    func `A8 points expire at the midnight of Moscow that ends their last day`(
        credited: String, lotClass: LotClass, expires: String
    ) async throws {
        let books = try await Books(ManualClock(try #require(Timestamp(credited))))
        let member = books.member()
        let receipt = try books.receipt(of: member, [.of(10, lotClass)])
        try await books.database.transaction { transaction in
            // The session's own time zone has no say.
            try await transaction.execute("set local timezone = 'Asia/Vladivostok'")
            _ = try await ReceiptStore().post([receipt], at: books.clock.now, in: transaction)
        }

        let day = try #require(try await books.account.lots(of: member).first)
        #expect(day.expiresAt == Timestamp(expires))
        #expect(ReferenceCalendar.expiry(lotClass.rawValue, creditedAt: books.clock.now) == Timestamp(expires))
    }

    @Test func `points count to the last second and not one longer, swept or not`() async throws {
        let books = try await Books(ManualClock(try #require(Timestamp("2026-01-15T09:00:00Z"))))
        let member = books.member()
        try await books.earn(100, for: member)
        books.clock.set(to: try #require(Timestamp("2026-07-31T20:59:59Z")))
        #expect(try await books.available(member) == 100)
        #expect(try await books.upkeep.expirePoints() == 0)

        books.clock.advance(by: .seconds(1))
        #expect(try await books.available(member) == 0)
        #expect(try await books.account.lots(of: member).isEmpty)
        let hold: Hold.ID = books.ids.next()
        #expect(try await books.place(hold, 1, for: member) == .refused(.insufficientPoints, available: .zero))
        #expect(try await books.findings().isEmpty)
    }

    @Test func `the sweep writes off each day in a transaction of its own, and once`() async throws {
        let books = try await Books(ManualClock(try #require(Timestamp("2026-01-15T09:00:00Z"))))
        let members = (0..<5).map { _ in books.member() }
        try await books.post(
            try members.flatMap { member in
                [
                    try books.receipt(of: member, [.of(100), .of(30, .promotional)]),
                    try books.receipt(of: member, [.of(50)]),
                ]
            })
        books.clock.set(to: try #require(Timestamp("2026-09-01T00:00:00Z")))
        try await books.earn(7, for: members[0])

        #expect(try await books.upkeep.expirePoints() == 10)
        #expect(try await books.upkeep.expirePoints() == 0)
        let feed = try await books.feed(members[1])
        #expect(feed.map(\.kind) == [.expire, .expire, .earn, .earn])
        #expect(feed.prefix(2).map(\.points.amount) == [150, 30])
        #expect(feed.first?.effectiveAt == Timestamp("2026-07-31T21:00:00Z"))
        #expect(feed.first?.recordedAt ?? books.clock.now >= books.clock.now)
        #expect(feed.first?.movements.map(\.to) == ["breakage:regular", "breakage:regular"])
        #expect(try await books.available(members[0]) == 7)
        #expect(try await books.findings().isEmpty)
    }

    @Test func `a sweep goes in chunks, tells how far it is, and begins anew where it was broken off`() async throws {
        let books = try await Books(ManualClock(try #require(Timestamp("2026-01-15T09:00:00Z"))))
        let members = (0..<450).map { _ in books.member() }
        try await books.post(try members.map { try books.receipt(of: $0, [.of(10, .promotional)]) })
        books.clock.advance(by: .seconds(40 * 86_400))
        struct Interruption: Error {}
        await #expect(throws: Interruption.self) {
            try await books.upkeep.expirePoints { done in
                if done == 200 { throw Interruption() }
            }
        }
        #expect(try await books.upkeep.expiryDue() == 250)
        let told = Signal<Int>()
        #expect(try await books.upkeep.expirePoints { told.send($0) } == 250)
        #expect(try await told.next(2) == [200, 250])
        #expect(try await books.count("select count(*) from ledger.transaction where kind = 'expire'") == 450)
        #expect(try await books.findings().isEmpty)
    }

    @Test func `a sweep waits for nobody who is served, and leaves nobody out in the end`() async throws {
        let books = try await Books(ManualClock(try #require(Timestamp("2026-01-15T09:00:00Z"))))
        let members = (0..<20).map { _ in books.member() }
        try await books.post(try members.map { try books.receipt(of: $0, [.of(10, .promotional)]) })
        books.clock.advance(by: .seconds(40 * 86_400))
        try await books.database.transaction { transaction in
            let receipt = try books.receipt(of: members[3], [.of(1)])
            _ = try await ReceiptStore().post([receipt], at: books.clock.now, in: transaction)
            #expect(try await books.upkeep.expirePoints() == 19)
        }
        #expect(try await books.upkeep.expirePoints() == 1)
        #expect(try await books.findings().isEmpty)
    }

    @Test func `a new policy holds for what is credited after it, not for what was before`() async throws {
        let books = try await Books(ManualClock(try #require(Timestamp("2026-01-15T09:00:00Z"))))
        let member = books.member()
        try await books.owner.execute(
            """
            insert into ledger.lot_policy (lot_class, in_force_from, months, lasts_to_end_of, issued_by, breakage)
            values ('regular', '2026-02-01T00:00:00Z', 12, 'month', 20, 60)
            """)
        try await books.earn(10, for: member)
        books.clock.set(to: try #require(Timestamp("2026-02-15T09:00:00Z")))
        try await books.earn(20, for: member)

        let days = try await books.account.lots(of: member)
        #expect(days.map(\.expiresAt) == [Timestamp("2026-07-31T21:00:00Z"), Timestamp("2027-02-28T21:00:00Z")])
    }
}

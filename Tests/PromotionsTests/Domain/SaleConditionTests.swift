import FoundationEssentials
import Kernel
import TestSupport
import Testing
import Web

@testable import Promotions

@Suite struct SaleConditionTests {
    private let member = MemberFacts(member: IDGenerator.uuidV7(clock: SystemClock()).next())

    private func holds(
        _ condition: SaleCondition, _ lines: [ReceiptLine] = [Make.line()], at: Timestamp = Make.noon,
        _ change: (inout MemberFacts) -> Void = { _ in }
    ) -> Bool {
        var facts = self.member
        change(&facts)
        return condition.holds(for: Make.sale(lines, at: at), of: facts)
    }

    @Test func `all, any and not are what they say, also of nothing`() {
        let (yes, no) = (SaleCondition.all([]), SaleCondition.any([]))
        #expect(self.holds(yes))
        #expect(!self.holds(no))
        #expect(self.holds(.all([yes, .not(no)])))
        #expect(!self.holds(.all([yes, no])))
        #expect(self.holds(.any([no, yes])))
        #expect(!self.holds(.not(yes)))
    }

    @Test(
        arguments: [(9999, false), (10_000, true), (19_999, true), (20_000, false)] as [(sum: Int64, holds: Bool)])
    func `a total lies in a half-open range`(sum: Int64, holds: Bool) {
        let range = SaleCondition.total(.init(from: 10_000, to: 20_000))
        #expect(self.holds(range, [Make.line(sum: sum)]) == holds)
    }

    @Test func `lines are counted, weighed and summed together`() {
        let lines = [
            Make.line(1, sum: 4000, category: "milk"), Make.line(2, sum: 6000, category: "milk"),
            Make.line(3, sum: 90_000, category: "meat"),
        ]
        func demand(_ quantity: Int64? = nil, _ sum: Int64? = nil, _ count: Int? = nil) -> SaleCondition {
            .lines(.init(matching: .category(["milk"]), quantity: quantity, sum: sum, count: count))
        }
        #expect(self.holds(demand(2000, 10_000, 2), lines))
        #expect(!self.holds(demand(2001), lines))
        #expect(!self.holds(demand(nil, 10_001), lines))
        #expect(!self.holds(demand(nil, nil, 3), lines))
        #expect(!self.holds(demand(), [Make.line(category: "meat")]))
    }

    /// Noon in Moscow is 15:00 in Omsk and still Monday; at 22:30 in Moscow it is Tuesday there.
    @Test func `weekday and time are the shop's own`() {
        let (monday, tuesday) = (SaleCondition.weekday([1]), SaleCondition.weekday([2]))
        let late = Make.noon + .seconds(10 * 3600 + 1800)
        #expect(self.holds(monday, at: late))
        #expect(self.holds(tuesday, at: late) { $0.offsetMinutes = 360 })
        let afternoon = SaleCondition.time(.init(from: 900, to: 960))
        #expect(!self.holds(afternoon))
        #expect(self.holds(afternoon) { $0.offsetMinutes = 360 })
        #expect(!self.holds(afternoon) { $0.offsetMinutes = 359 })
        // Over midnight.
        let night = SaleCondition.time(.init(from: 1320, to: 60))
        #expect(self.holds(night, at: late))
        #expect(self.holds(night, at: late + .seconds(5400)))
        #expect(!self.holds(night, at: late + .seconds(9000)))
    }

    @Test(
        arguments: [
            (11, 16, true), (11, 15, false), (11, 30, true), (12, 1, false),
        ] as [(month: Int64, day: Int64, holds: Bool)])
    func `a birthday is seven days around, by the day of the sale`(month: Int64, day: Int64, holds: Bool) {
        let around = SaleCondition.birthday(.init(before: 7, after: 7))
        #expect(self.holds(around) { $0.birthday = Birthday(month: month, day: day) } == holds)
        #expect(!self.holds(around))
    }

    @Test func `a birthday window runs over the turn of the year, and 29 February is kept on the 28th`() throws {
        let around = SaleCondition.birthday(.init(before: 3, after: 3))
        let eve = try #require(Timestamp("2026-12-30T12:00:00+03:00"))
        #expect(self.holds(around, at: eve) { $0.birthday = Birthday(month: 1, day: 2) })
        let day = try #require(Timestamp("2027-02-25T12:00:00+03:00"))
        #expect(self.holds(around, at: day) { $0.birthday = Birthday(month: 2, day: 29) })
        #expect(!self.holds(around, at: day - .seconds(86_400)) { $0.birthday = Birthday(month: 2, day: 29) })
    }

    @Test func `level, segment, shop, coupon and the nth visit are looked at`() {
        #expect(self.holds(.level(["gold"])) { $0.level = "gold" })
        #expect(!self.holds(.level(["gold"])) { $0.level = "silver" })
        #expect(!self.holds(.level(["gold"])))
        #expect(self.holds(.segment(["families", "new"])) { $0.segments = ["new"] })
        #expect(!self.holds(.segment(["families"])))
        #expect(self.holds(.store(["1"])))
        #expect(!self.holds(.store(["2"])))
        #expect(self.holds(.coupon(["autumn"])) { $0.coupons = ["autumn"] })
        #expect(!self.holds(.coupon(["autumn"])))
        #expect(
            (1...6).map { visit in self.holds(.visit(.init(every: 3))) { $0.visit = visit } } == [
                false, false, true, false, false, true,
            ])
    }

    @Test func `every condition is read from the JSON that it is written to`() throws {
        let condition = SaleCondition.all([
            .any([.total(.init(from: 1, to: nil)), .store(["1"])]), .not(.level(["gold"])), .segment(["a"]),
            .lines(.init(matching: .favourite(true), quantity: 1, sum: 2, count: 3)),
            .birthday(.init(before: 1, after: 2)), .visit(.init(every: 5)), .weekday([6, 7]),
            .time(.init(from: 60, to: 120)), .window(Window(from: Make.noon, to: Make.noon + .seconds(1))),
            .coupon(["autumn"]), .lines(.init(matching: .product(["a"]))),
        ])
        let json = try JSONEncoder().encode(condition)
        #expect(try StrictJSON.decode(SaleCondition.self, bytes: Array(json)) == condition)
        #expect(throws: (any Error).self) {
            try StrictJSON.decode(SaleCondition.self, bytes: Array(#"{"weekday": [1], "store": ["1"]}"#.utf8))
        }
        #expect(throws: (any Error).self) {
            try StrictJSON.decode(SaleCondition.self, bytes: Array(#"{"moon": "full"}"#.utf8))
        }
    }
}

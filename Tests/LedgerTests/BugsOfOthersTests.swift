import Contracts
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Ledger

/// Bugs that other ledgers had and that no single recipe's tests show absent. The others stand with their recipes,
/// under the same ids.
@Suite(.ledger) struct BugsOfOthersTests {
    /// How 100 points can come about.
    enum Origin: String, CaseIterable, Sendable {
        case receipt, matured, correction, goodwill, merged, grace, restored
    }

    /// frappe/erpnext #59050: points that were earned on another kind of document could be redeemed again and again.
    /// Here every way to points ends in a lot, and a lot is spent once.
    @Test(arguments: Origin.allCases)
    func `A3 points are spent once, however they came about`(origin: Origin) async throws {
        let books = try await Books()
        let member = books.member()
        try await self.bring(100, to: member, origin, books)
        #expect(try await books.available(member) == 100)

        let attempts = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    let hold: Hold.ID = books.ids.next()
                    guard try await books.place(hold, 100, for: member).isPlaced else { return false }
                    return try await books.capture(hold, of: member).isCaptured
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(attempts.filter { $0 }.count == 1)
        #expect(try await books.available(member) == 0)
        let again: Hold.ID = books.ids.next()
        #expect(try await books.place(again, 1, for: member).isPlaced == false)
        #expect(try await books.findings().isEmpty)
    }

    private func bring(_ points: Int64, to member: Member.ID, _ origin: Origin, _ books: Books) async throws {
        switch origin {
        case .receipt: try await books.earn(points, for: member)
        case .matured:
            let delivery = books.clock.now + .seconds(3600)
            try await books.post([try books.receipt(of: member, [.of(points, maturing: delivery)])])
            books.clock.set(to: delivery)
            try await books.upkeep.maturePoints()
        case .correction: try await books.adjust(points, of: member)
        case .goodwill: try await books.adjust(points, of: member, cause: .goodwill)
        case .merged:
            let card = books.member()
            try await books.earn(points, for: card)
            _ = try await books.merge(card, into: member)
        case .grace:
            let hold: Hold.ID = books.ids.next()
            try await books.earn(points, .promotional, for: member)
            try await books.place(hold, points, for: member, seconds: 20 * 86_400)
            books.clock.advance(by: .seconds(35 * 86_400))
            try await books.upkeep.voidExpiredHolds()
        case .restored:
            try await books.earn(points, for: member)
            let (hold, _) = try await books.spend(points, for: member)
            let sale = try books.receipt(of: member, [])
            try await books.post([sale])
            try await books.apply(
                try books.goods(of: member, sale.receipt, lines: [100], holds: [hold], back: [(1, 100)]))
        }
    }

    /// FreeOpenSourcePOS/FloCafe #78: the balance was "credits that have not expired, less all debits", so it fell below
    /// what was there as soon as the credits that the debits had used were over.
    @Test func `A7 spending from points that expire later does not come off what is left`() async throws {
        let books = try await Books()
        let member = books.member()
        try await books.earn(100, .promotional, for: member)
        try await books.earn(500, for: member)
        try await books.spend(80, for: member)
        #expect(try await books.available(member) == 520)

        // The first lot is over with what was left of it; what was spent of it does not burden the second one.
        books.clock.advance(by: .seconds(40 * 86_400))
        #expect(try await books.available(member) == 500)
        try await books.upkeep.expirePoints()
        #expect(try await books.available(member) == 500)
        let days = try await books.account.lots(of: member)
        #expect(days.map(\.points.amount) == [500])
        let balance = try await books.account.balance(of: member)
        #expect(balance.expiringNext?.expiresAt == days.first?.expiresAt)
        #expect(try await books.findings().isEmpty)
    }

    /// FloCafe #62: only one next expiry was kept, so what expired after it was never written off, or never shown.
    @Test func `A7 every day of the calendar expires when it comes`() async throws {
        let books = try await Books()
        let member = books.member()
        var left: Int64 = 0
        for number in 1...4 {
            try await books.earn(Int64(number), .promotional, for: member)
            left += Int64(number)
            books.clock.advance(by: .seconds(86_400))
        }
        for day in try await books.account.lots(of: member) {
            #expect(try await books.account.balance(of: member).expiringNext?.expiresAt == day.expiresAt)
            books.clock.set(to: day.expiresAt)
            left -= day.points.amount
            #expect(try await books.available(member) == left)
            #expect(try await books.upkeep.expirePoints() == 1)
        }
        #expect(left == 0)
        #expect(try await books.feed(member).filter { $0.kind == .expire }.count == 4)
        #expect(try await books.findings().isEmpty)
    }
}

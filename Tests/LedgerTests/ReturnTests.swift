import Contracts
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Ledger

@Suite(.ledger) struct ReturnTests {
    /// odoo/odoo PR 257854: buy, earn, refund, keep the points, without end.
    @Test func `A1 points of returned goods are taken back, spent or not`() async throws {
        let books = try await Books()
        let member = books.member()
        var debts: [Int64] = []
        for _ in 0..<3 {
            let receipt = try books.receipt(of: member, [.of(100)])
            try await books.post([receipt])
            try await books.spend(100 - Int64(debts.count), for: member)
            let back = try books.goods(of: member, receipt.receipt, lines: [5000], back: [(1, 5000)])
            debts.append(try #require(try await books.apply(back).result?.asDebt?.amount))
            // The next receipt repays first.
            try await books.earn(debts[debts.count - 1] - 1, for: member)
            try await books.earn(2, for: member)
        }

        let balance = try await books.account.balance(of: member)
        #expect(debts.allSatisfy { $0 > 90 })
        #expect(balance.debt == .zero)
        #expect(balance.available.amount <= 3)
        #expect(try await books.findings().isEmpty)
    }

    /// odoo/odoo PR 212922: the refund of an order that was paid with points took the points a second time.
    @Test func `A2 points that paid for returned goods come back, to the same lots`() async throws {
        let books = try await Books()
        let member = books.member()
        try await books.earn(50, .promotional, for: member)
        try await books.earn(100, for: member)
        let before = try await books.account.lots(of: member)
        let (hold, _) = try await books.spend(80, for: member)
        let receipt = try books.receipt(of: member, [])
        try await books.post([receipt])

        let outcome = try await books.apply(
            try books.goods(
                of: member, receipt.receipt, lines: [1000, 3000], holds: [hold], back: [(1, 1000), (2, 3000)]))
        #expect(outcome.result?.restored == Points(80))
        #expect(outcome.result?.clawedBack == .zero)
        #expect(try await books.account.lots(of: member) == before)
        #expect(try await books.total("redeemed:till") == 0)
        #expect(try await books.findings().isEmpty)
    }

    /// frappe/erpnext #32951: a return left points, or took a wrong number.
    @Test func `A4 a partial return takes and gives its share, and the rest later is the rest exactly`() async throws {
        let books = try await Books()
        let member = books.member()
        try await books.earn(1000, for: member)
        let (hold, _) = try await books.spend(100, for: member)
        let receipt = try books.receipt(of: member, [.of(100)])
        try await books.post([receipt])
        let lines: [Int64] = [3333, 3333, 3334]

        var clawed: [Int64] = []
        var restored: [Int64] = []
        let parts: [(Int32, Int64)] = [(1, 1), (1, 3332), (2, 3333), (3, 3334)]
        for part in parts {
            let outcome = try await books.apply(
                try books.goods(of: member, receipt.receipt, lines: lines, holds: [hold], back: [part]))
            clawed.append(try #require(outcome.result?.clawedBack?.amount))
            restored.append(try #require(outcome.result?.restored?.amount))
        }
        #expect(clawed == [0, 33, 33, 34])
        #expect(restored == [0, 33, 33, 34])
        #expect(try await books.available(member) == 1000)
        #expect(try await books.findings().isEmpty)
    }

    /// Cut a return as you like: it takes and gives what one return of everything does.
    @Test(arguments: UInt64(1)...12)
    func `A4 any partial returns undo exactly what one whole return does`(seed: UInt64) async throws {
        let books = try await Books(seed: seed)
        var random = Dice(seed: seed)
        let lines =
            (0..<Int.random(in: 1...7, using: &random)).map { _ in
                Int64.random(in: 0...20_000, using: &random)
            } + [Int64.random(in: 1...500, using: &random)]
        let earned = Int64.random(in: 0...900, using: &random)
        let spent = Int64.random(in: 1...900, using: &random)
        let wallets = (0..<2).map { _ in books.member() }
        var ends: [[Int64]] = []
        for (number, member) in wallets.enumerated() {
            try await books.earn(1000, for: member)
            try await books.earn(400, .promotional, for: member)
            let (hold, _) = try await books.spend(spent, for: member)
            let receipt = try books.receipt(of: member, [.of(earned)])
            try await books.post([receipt])
            let whole = lines.enumerated().filter { $0.element > 0 }.map { (Int32($0.offset + 1), $0.element) }
            let parts = number == 0 ? [whole] : Self.cut(whole, using: &random)
            var (clawed, restored) = (Int64(0), Int64(0))
            for part in parts {
                let outcome = try await books.apply(
                    try books.goods(of: member, receipt.receipt, lines: lines, holds: [hold], back: part))
                clawed += try #require(outcome.result?.clawedBack?.amount, "seed \(seed)")
                restored += try #require(outcome.result?.restored?.amount, "seed \(seed)")
            }
            let balance = try await books.account.balance(of: member)
            let lots = try await books.account.lots(of: member).map(\.points.amount)
            ends.append([clawed, restored, balance.available.amount, balance.debt.amount] + lots)
        }
        #expect(ends[0] == ends[1], "seed \(seed)")
        #expect(ends[0].prefix(2) == [earned, spent], "seed \(seed)")
        #expect(try await books.findings().isEmpty, "seed \(seed)")
    }

    private static func cut(_ whole: [(Int32, Int64)], using random: inout Dice) -> [[(Int32, Int64)]] {
        var pieces: [(Int32, Int64)] = []
        for (line, sum) in whole {
            var left = sum
            while left > 0 {
                let piece = Int64.random(in: 1...left, using: &random)
                pieces.append((line, piece))
                left -= piece
                if pieces.count > 25 {
                    if left > 0 { pieces.append((line, left)) }
                    break
                }
            }
        }
        pieces.shuffle(using: &random)
        return pieces.map { [$0] }
    }

    private static let policies: [(policy: String, floor: Int64, ends: [Int64])] = [
        // available, pending, debt, forgone of a return of 300 earned at once and 100 that wait, with 60 left.
        ("only_pending", 0, [60, 0, 0, 300]),
        ("within_balance", 0, [0, 0, 0, 240]),
        ("debt", -5000, [0, 0, 240, 0]),
        ("debt", -150, [0, 0, 150, 90]),
    ]

    @Test(arguments: Self.policies.indices)
    func `a claw-back goes as far as the policy of the receipt's time`(index: Int) async throws {
        let (policy, floor, ends) = Self.policies[index]
        let books = try await Books()
        let member = books.member()
        try await books.owner.execute(
            """
            insert into ledger.clawback_policy (in_force_from, policy, debt_floor)
            values (\(books.clock.now - .seconds(86_400)), \(policy), \(floor))
            """)
        let receipt = try books.receipt(
            of: member, [.of(300), .of(100, maturing: books.clock.now + .seconds(86_400))])
        try await books.post([receipt])
        try await books.spend(240, for: member)
        // A newer policy is for newer receipts.
        try await books.owner.execute(
            """
            insert into ledger.clawback_policy (in_force_from, policy, debt_floor)
            values (\(books.clock.now + .seconds(60)), 'only_pending', 0)
            """)
        books.clock.advance(by: .seconds(120))

        let outcome = try await books.apply(
            try books.goods(of: member, receipt.receipt, lines: [100], back: [(1, 100)]))
        let balance = try await books.account.balance(of: member)
        let found = [balance.available, balance.pending, balance.debt, try #require(outcome.result?.forgone)]
        #expect(found.map(\.amount) == ends)
        #expect(outcome.result?.fromPending == Points(100))
        #expect(try await books.findings().isEmpty)
    }

    @Test func `a claw-back takes the receipt's own lots before those that expire sooner`() async throws {
        let books = try await Books()
        let member = books.member()
        try await books.earn(50, .promotional, for: member)
        let receipt = try books.receipt(of: member, [.of(100)])
        try await books.post([receipt])
        try await books.apply(try books.goods(of: member, receipt.receipt, lines: [100], back: [(1, 100)]))

        let days = try await books.account.lots(of: member)
        #expect(days.map { $0.classes.map(\.lotClass) } == [["promotional"]])
        #expect(try await books.available(member) == 50)
    }

    @Test func `what was spent from lots that expired meanwhile comes back for 14 days`() async throws {
        let books = try await Books()
        let member = books.member()
        try await books.earn(50, .promotional, for: member)
        let (hold, _) = try await books.spend(50, for: member)
        let receipt = try books.receipt(of: member, [])
        try await books.post([receipt])
        books.clock.advance(by: .seconds(40 * 86_400))

        let outcome = try await books.apply(
            try books.goods(of: member, receipt.receipt, lines: [100], holds: [hold], back: [(1, 100)]))
        #expect(outcome.result?.grace == Points(50))
        #expect(try await books.account.lots(of: member).flatMap(\.classes).map(\.lotClass) == ["grace"])
        #expect(try await books.findings().isEmpty)
    }

    @Test func `a return is answered again as it was, and another one under its id is refused`() async throws {
        let books = try await Books()
        let member = books.member()
        let receipt = try books.receipt(of: member, [.of(100)])
        let id = books.transferID()
        let early = try books.goods(of: member, receipt.receipt, lines: [100], back: [(1, 50)], id: id)
        // A return may arrive before its sale: it is not kept as refused.
        #expect(try await books.apply(early).refusal == .unknownReceipt)
        try await books.post([receipt])

        let first = try await books.apply(early)
        #expect(first.result?.clawedBack == Points(50))
        #expect(try await books.apply(early) == first)
        let other = try books.goods(of: member, receipt.receipt, lines: [100], back: [(1, 40)], id: id)
        #expect(try await books.apply(other).refusal == .idMismatch)
        let tooMuch = try books.goods(of: member, receipt.receipt, lines: [100], back: [(1, 51)])
        #expect(try await books.apply(tooMuch).refusal == .exceedsLine)
        let otherLines = try books.goods(of: member, receipt.receipt, lines: [99], back: [(1, 1)])
        #expect(try await books.apply(otherLines).refusal == .linesMismatch)
        let stranger = try books.goods(of: books.member(), receipt.receipt, lines: [100], back: [(1, 1)])
        #expect(try await books.apply(stranger).refusal == .unknownReceipt)
        #expect(try await books.available(member) == 50)
        #expect(try await books.findings().isEmpty)
    }

    /// One payment must not come back for two receipts.
    @Test func `a hold pays for one receipt`() async throws {
        let books = try await Books()
        let member = books.member()
        try await books.earn(100, for: member)
        let (hold, _) = try await books.spend(60, for: member)
        let receipts = try (0..<2).map { _ in try books.receipt(of: member, []) }
        try await books.post(receipts)
        // So little comes back first that no point does: that the hold is taken shows all the same.
        let outcomes = try await books.apply([
            try books.goods(of: member, receipts[0].receipt, lines: [100], holds: [hold], back: [(1, 1)]),
            try books.goods(of: member, receipts[1].receipt, lines: [100], holds: [hold], back: [(1, 100)]),
            try books.goods(of: member, receipts[0].receipt, lines: [100], holds: [hold], back: [(1, 99)]),
        ])

        #expect(outcomes[0].result?.restored == .zero)
        #expect(outcomes[1].refusal == .holdMismatch)
        #expect(outcomes[2].result?.restored == Points(60))
        #expect(try await books.available(member) == 100)
        #expect(try await books.findings().isEmpty)
    }

    /// blnkfinance/blnk PR 315: two refunds at once gave the money back twice.
    @Test func `A14 returns of the same goods at once undo them once`() async throws {
        let books = try await Books()
        let member = books.member()
        try await books.earn(100, for: member)
        let (hold, _) = try await books.spend(60, for: member)
        let receipt = try books.receipt(of: member, [.of(30)])
        try await books.post([receipt])
        let returns = try (0..<8).map { _ in
            try books.goods(of: member, receipt.receipt, lines: [100], holds: [hold], back: [(1, 100)])
        }
        let outcomes = try await withThrowingTaskGroup(of: TransferOutcome.self) { group in
            for goods in returns { group.addTask { try await books.apply(goods) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }

        #expect(outcomes.filter { $0.result != nil }.count == 1)
        #expect(outcomes.filter { $0.refusal == .exceedsLine }.count == 7)
        #expect(try await books.available(member) == 100)
        #expect(try await books.findings().isEmpty)
    }
}

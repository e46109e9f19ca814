import Contracts
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Ledger

/// Random histories: after every step the database and the reference agree on everything that a member can see.
@Suite(.ledger) struct HistoryTests {
    @Test(arguments: UInt64(1)...6)
    func `the ledger and the reference tell the same history`(seed: UInt64) async throws {
        var history = try await History(seed: seed)
        for step in 0..<60 {
            let deed = try await history.step()
            try await history.compare("seed \(seed), step \(step): \(deed)")
        }
        #expect(try await history.books.findings().isEmpty, "seed \(seed)")
    }

    /// Whatever the order and however it is cut into batches, the same receipts make the same balances and lots.
    @Test(arguments: UInt64(1)...4)
    func `the order and the batches of receipts make no difference`(seed: UInt64) async throws {
        let books = try await Books(seed: seed)
        var random = Dice(seed: seed)
        let members = (0..<4).map { _ in books.member() }
        var references = Dictionary(uniqueKeysWithValues: members.map { ($0, ReferenceWallet()) })
        var receipts: [PostReceipt] = []
        for _ in 0..<80 {
            let member = try #require(members.randomElement(using: &random))
            let receipt = try books.receipt(of: member, try Self.accruals(using: &random))
            references[member]?.earn(receipt.accruals, at: books.clock.now)
            receipts.append(receipt)
        }
        // Some come twice.
        receipts += (0..<20).compactMap { _ in receipts.randomElement(using: &random) }
        receipts.shuffle(using: &random)
        while !receipts.isEmpty {
            let size = min(receipts.count, Int.random(in: 1...30, using: &random))
            try await books.post(Array(receipts.prefix(size)))
            receipts.removeFirst(size)
        }

        for (member, reference) in references {
            let days = try await books.account.lots(of: member)
            let found = Dictionary(uniqueKeysWithValues: days.map { ($0.expiresAt, $0.points.amount) })
            #expect(found == reference.days(at: books.clock.now), "seed \(seed)")
        }
        #expect(try await books.count("select count(*) from ledger.receipt") == 80)
        #expect(try await books.findings().isEmpty, "seed \(seed)")
    }

    static func accruals(using random: inout Dice) throws -> [PostReceipt.Accrual] {
        try (0..<Int.random(in: 0...3, using: &random)).map { _ in
            try .of(Int64.random(in: 0...200, using: &random), Bool.random(using: &random) ? .regular : .promotional)
        }
    }
}

/// A member's history in the database and beside it.
private struct History {
    let books: Books
    private let member: Member.ID
    private var random: Dice
    private var reference = ReferenceWallet()

    init(seed: UInt64) async throws {
        self.books = try await Books(seed: seed)
        self.member = self.books.member()
        self.random = Dice(seed: seed)
        try await self.books.earn(0, for: self.member)
    }

    private var now: Timestamp { self.books.clock.now }

    /// Does one thing on both sides.
    mutating func step() async throws -> String {
        switch Int.random(in: 0..<10, using: &self.random) {
        case 0...2: return try await self.earn()
        case 3...4: return try await self.place()
        case 5: return try await self.capture()
        case 6: return try await self.void()
        case 7:
            self.reference.expire(at: self.now)
            try await self.books.upkeep.expirePoints()
            return "expire"
        case 8:
            self.reference.voidExpiredHolds(at: self.now)
            try await self.books.upkeep.voidExpiredHolds()
            return "void expired holds"
        default:
            let seconds = Int64.random(in: 1...(25 * 86_400), using: &self.random)
            self.books.clock.advance(by: .seconds(seconds))
            return "advance by \(seconds) s"
        }
    }

    private mutating func earn() async throws -> String {
        let batch = try (0..<Int.random(in: 1...4, using: &self.random)).map { _ in
            try self.books.receipt(of: self.member, try HistoryTests.accruals(using: &self.random))
        }
        try await self.books.post(batch)
        for receipt in batch { self.reference.earn(receipt.accruals, at: self.now) }
        return "earn \(batch.map { $0.accruals.map { "\($0.points) \($0.lotClass)" } })"
    }

    private mutating func place() async throws -> String {
        let hold: Hold.ID = self.books.ids.next()
        let most = self.reference.available(at: self.now) * 5 / 4 + 1
        let points = Int64.random(in: 1...most, using: &self.random)
        let seconds = Int64.random(in: 60...(20 * 86_400), using: &self.random)
        let isPlaced = self.reference.place(hold, points, until: self.now + .seconds(seconds), at: self.now)
        let reply = try await self.books.place(hold, points, for: self.member, seconds: seconds)
        #expect(reply.isPlaced == isPlaced)
        return "hold \(points) for \(seconds) s"
    }

    private mutating func capture() async throws -> String {
        guard let (id, hold) = self.anyHold() else { return "nothing to capture" }
        let points = Int64.random(in: 1...hold.points, using: &self.random)
        let isInTime = hold.expiresAt > self.now
        self.reference.settle(id, burning: isInTime ? points : 0, at: self.now)
        let reply = try await self.books.capture(id, points, of: self.member)
        #expect(reply.isCaptured == isInTime)
        return "capture \(points) of \(hold.points)"
    }

    private mutating func void() async throws -> String {
        guard let (id, hold) = self.anyHold() else { return "nothing to void" }
        self.reference.settle(id, burning: 0, at: self.now)
        try await self.books.void(id, of: self.member)
        return "void \(hold.points)"
    }

    private mutating func anyHold() -> (Hold.ID, ReferenceWallet.Hold)? {
        self.reference.holds.sorted { $0.key < $1.key }.randomElement(using: &self.random).map { ($0.key, $0.value) }
    }

    func compare(_ comment: String) async throws {
        let balance = try await self.books.account.balance(of: self.member)
        #expect(balance.available.amount == self.reference.available(at: self.now), "\(comment)")
        #expect(balance.held.amount == self.reference.held, "\(comment)")
        let days = try await self.books.account.lots(of: self.member)
        let found = Dictionary(uniqueKeysWithValues: days.map { ($0.expiresAt, $0.points.amount) })
        #expect(found == self.reference.days(at: self.now), "\(comment)")
        let feed = try await self.books.feed(self.member)
        #expect(feed.map(\.version) == Array((1...Int64(feed.count)).reversed()), "\(comment)")
    }
}

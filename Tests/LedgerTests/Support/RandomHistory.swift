import Contracts
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Ledger

/// Draws deeds by a seed and does each of them twice: in the database and in the reference.
struct RandomHistory {
    let books: Books
    let members: [Member.ID]
    private(set) var reference = ReferenceLedger()
    var random: Dice
    /// Holds that may be ended, and receipts that may be returned; the newest ones.
    private var holds: [(member: Member.ID, id: Hold.ID)] = []
    private var receipts: [PostReceipt] = []
    private var paid: Set<Hold.ID> = []
    /// Whom the last transfers were about.
    private(set) var touched: [Member.ID] = []
    static let campaigns = ["cups", "plates"]

    init(seed: UInt64, members count: Int, years: Int64 = 2) async throws {
        self.books = try await Books(seed: seed)
        self.random = Dice(seed: seed)
        self.members = (0..<count).map { [books] _ in books.member() }
        try await self.books.owner.execute(
            "select ledger.make_partitions(\(self.books.clock.now), \(Int32(12 * years + 3)))")
        for (number, campaign) in Self.campaigns.enumerated() {
            try await self.books.openCampaign(campaign, days: Int64(40 * (number + 1)))
            self.reference.campaigns[campaign] = self.now + .seconds(Int64(40 * (number + 1)) * 86_400)
        }
        // Everybody is known.
        for start in stride(from: 0, to: count, by: 500) {
            let first = try self.members[start..<min(start + 500, count)].map { member in
                try self.books.receipt(of: member, [.of(100)])
            }
            try await self.books.apply(first.map(Transfer.earn))
            for receipt in first { self.reference.earn(receipt, at: self.now) }
        }
    }

    var now: Timestamp { self.books.clock.now }

    // MARK: Doing

    /// Does so many transfers in one call. Says what they were.
    mutating func transfers(_ count: Int, merges: Bool = true) async throws -> String {
        var (drawn, expected) = ([Transfer](), [String?]())
        for _ in 0..<count {
            guard let transfer = try self.draw(merges: merges) else { continue }
            drawn.append(transfer)
            expected.append(self.reference.apply(transfer, at: self.now))
        }
        self.touched = Array(Set(drawn.flatMap { self.reference.members(of: $0) }))
        let outcomes = try await self.books.apply(drawn)
        let found = outcomes.map { $0.refusal?.rawValue }
        let text = count == 1 ? "\(drawn)" : "\(count) transfers"
        let wrong = zip(found, expected).enumerated().first { $0.element.0 != $0.element.1 }
        if let wrong {
            Issue.record("\(drawn[wrong.offset]) was answered \(found[wrong.offset] ?? "done"), not \(wrong.element)")
        }
        return text
    }

    /// What the service does of itself.
    mutating func sweep() async throws {
        try await self.books.upkeep.voidExpiredHolds()
        self.reference.voidExpiredHolds(at: self.now)
        try await self.books.upkeep.expirePoints()
        self.reference.expire(at: self.now)
        try await self.books.upkeep.maturePoints()
        self.reference.mature(at: self.now)
        try await self.books.upkeep.expireStickers()
        self.reference.endCampaigns(at: self.now)
    }

    /// Another rule for what is sold from now on.
    mutating func changePolicy() async throws {
        self.books.clock.advance(by: .seconds(60))
        let policies: [(name: String, floor: Int64, policy: ReferenceLedger.Policy)] = [
            ("only_pending", 0, .onlyPending), ("within_balance", 0, .withinBalance), ("debt", -50, .debt(floor: -50)),
            ("debt", -5000, .debt(floor: -5000)),
        ]
        let chosen = policies[Int.random(in: 0..<policies.count, using: &self.random)]
        self.reference.policy = chosen.policy
        try await self.books.owner.execute(
            """
            insert into ledger.clawback_policy (in_force_from, policy, debt_floor)
            values (\(self.now), \(chosen.name), \(chosen.floor))
            """)
    }

    /// More time for a campaign, also for one that is over.
    mutating func prolongCampaign() async throws {
        let campaign = Self.campaigns[Int.random(in: 0..<Self.campaigns.count, using: &self.random)]
        let days = Int64.random(in: 1...60, using: &self.random)
        try await self.books.openCampaign(campaign, days: days)
        self.reference.campaigns[campaign] = self.now + .seconds(days * 86_400)
    }

    // MARK: Time

    /// Moves on by at most so many days, often to a moment at which something tips over.
    mutating func moveOn(days: Int64) {
        let latest = self.now + .seconds(days * 86_400)
        let midnight = ReferenceCalendar.endOfDay(Int64.random(in: 0..<max(1, days), using: &self.random), after: now)
        let month = ReferenceCalendar.startOfMonth(1, after: self.now)
        let wallet = self.members.randomElement(using: &self.random).flatMap { self.reference.wallets[$0] }
        let moment: Timestamp? =
            switch Int.random(in: 0..<10, using: &self.random) {
            case 0...1: midnight
            case 2: midnight - .microseconds(1)
            case 3: month
            case 4: month - .microseconds(1)
            case 5: wallet?.lots.filter { $0.remaining > 0 }.map(\.expiresAt).randomElement(using: &self.random)
            case 6: wallet?.holds.map(\.expiresAt).randomElement(using: &self.random)
            case 7: wallet?.waiting.map(\.maturesAt).randomElement(using: &self.random)
            default: nil
            }
        let drift = self.now + .seconds(Int64.random(in: 1...max(1, days * 86_400), using: &self.random))
        if let moment, moment > self.now, moment <= latest {
            self.books.clock.set(to: moment)
        } else {
            self.books.clock.set(to: drift)
        }
    }

    // MARK: Drawing

    private mutating func draw(merges: Bool) throws -> Transfer? {
        guard let member = self.members.randomElement(using: &self.random) else { return nil }
        switch Int.random(in: 0..<100, using: &self.random) {
        case 0..<36: return try self.earn(member)
        case 36..<54: return try self.hold(member)
        case 54..<72: return try self.end()
        case 72..<84: return try self.goodsBack()
        case 84..<92: return self.stickers(member)
        case 92..<95: return .expire(ExpireMember(member: member))
        default:
            guard merges, let other = self.members.filter({ $0 != member }).randomElement(using: &self.random)
            else { return try self.earn(member) }
            return .merge(MergeMembers(id: self.books.transferID(), source: member, member: other))
        }
    }

    private mutating func earn(_ member: Member.ID) throws -> Transfer {
        if Int.random(in: 0..<12, using: &self.random) == 0,
            let again = self.receipts.randomElement(using: &self.random)
        {
            return .earn(again)
        }
        let accruals = try (0..<Int.random(in: 0...3, using: &self.random)).map { _ in
            let lotClass = LotClass.allCases.randomElement(using: &self.random) ?? .regular
            let waits = Int.random(in: 0..<4, using: &self.random) == 0
            let seconds = Int64.random(in: 1...(20 * 86_400), using: &self.random)
            return PostReceipt.Accrual(
                lotClass: lotClass, points: try #require(Points(Int64.random(in: 0...200, using: &self.random))),
                rule: "base", maturesAt: waits ? self.now + .seconds(seconds) : nil)
        }
        let receipt = try self.books.receipt(of: member, accruals)
        self.receipts = self.receipts.suffix(400) + [receipt]
        return .earn(receipt)
    }

    private mutating func hold(_ member: Member.ID) throws -> Transfer {
        let most = self.reference.available(member, at: self.now) * 5 / 4 + 1
        let hold: Hold.ID = self.books.ids.next()
        self.holds = self.holds.suffix(400) + [(member, hold)]
        return .hold(
            PlaceHold(
                hold: hold, member: member,
                points: try #require(Points(Int64.random(in: 1...most, using: &self.random))), purpose: .till,
                expiresInSeconds: Int64.random(in: 60...(20 * 86_400), using: &self.random)))
    }

    private mutating func end() throws -> Transfer? {
        guard let (member, id) = self.holds.suffix(25).randomElement(using: &self.random) else { return nil }
        let hold = self.reference.wallets[member]?.holds.first { $0.id == id }
        let points = Points(Int64.random(in: 1...max(1, hold?.points ?? 1), using: &self.random))
        switch Int.random(in: 0..<4, using: &self.random) {
        case 0: return .void(VoidHold(hold: id, member: member))
        case 1: return .capture(CaptureHold(hold: id, member: member, points: nil))
        case 2: return .capture(CaptureHold(hold: id, member: member, points: points))
        default:
            return .capture(
                CaptureHold(
                    part: self.books.transferID(), of: id, member: member, points: try #require(points)))
        }
    }

    /// Goods of a receipt: of its first return the lines and the holds that paid are drawn, then they stay.
    private mutating func goodsBack() throws -> Transfer? {
        guard let receipt = self.receipts.randomElement(using: &self.random),
            let sale = self.reference.sales[receipt.receipt]
        else { return nil }
        var (lines, holds) = (sale.lines.map(\.sum), sale.holds)
        if lines.isEmpty {
            lines = (0..<Int.random(in: 0...3, using: &self.random)).map { _ in
                Int64.random(in: 0...20_000, using: &self.random)
            }
            lines.append(Int64.random(in: 1...5000, using: &self.random))
            let free = (self.reference.wallets[sale.member]?.holds ?? []).filter {
                $0.state != "open" && $0.captured > 0 && $0.returned == 0 && !self.paid.contains($0.id)
            }
            holds = Array(free.map(\.id).suffix(Int.random(in: 0...2, using: &self.random)))
            self.paid.formUnion(holds)
        }
        let back = lines.indices.filter { lines[$0] > 0 }.compactMap { index -> (Int32, Int64)? in
            guard Bool.random(using: &self.random) else { return nil }
            let left = lines[index] - (sale.lines.isEmpty ? 0 : sale.lines[index].returned)
            let isTooMuch = Int.random(in: 0..<20, using: &self.random) == 0
            let sum = isTooMuch ? left + 1 : left > 0 ? Int64.random(in: 1...left, using: &self.random) : 0
            return sum > 0 ? (Int32(index + 1), sum) : nil
        }
        guard !back.isEmpty else { return nil }
        return try self.books.goods(of: sale.member, receipt.receipt, lines: lines, holds: holds, back: back)
    }

    private mutating func stickers(_ member: Member.ID) -> Transfer {
        .stickers(
            MoveStickers(
                id: self.books.transferID(), member: member,
                campaign: Self.campaigns.randomElement(using: &self.random) ?? "",
                count: [5, 3, 1, -2, -4].randomElement(using: &self.random) ?? 1))
    }
}

extension ReferenceLedger {
    /// Does a transfer. Says the refusal, or nil.
    mutating func apply(_ transfer: Transfer, at now: Timestamp) -> String? {
        switch transfer {
        case .earn(let receipt):
            self.earn(receipt, at: now)
            return nil
        case .hold(let call):
            let deadline = now + .seconds(call.expiresInSeconds)
            return self.place(call.hold, call.points.amount, for: call.member, until: deadline, at: now)
        case .capture(let call):
            let isPart = call.closes == false
            return self.end(call.hold, call.points?.amount, isPart: isPart, of: call.member, at: now)
        case .void(let call): return self.end(call.hold, 0, of: call.member, at: now)
        case .return(let goods):
            return self.goodsBack(
                goods.receipt, lines: goods.lines.map(\.sum.amount), holds: goods.holds,
                back: goods.returned.map { (Int($0.line) - 1, $0.sum.amount) }, at: now)
        case .expire(let call):
            self.expire(call.member, at: now)
            return nil
        case .stickers(let move): return self.stickers(move.count, of: move.campaign, for: move.member, at: now)
        case .merge(let merge): return self.merge(merge.source, into: merge.member, at: now)
        default: return "unknown to the reference"
        }
    }

    /// Whose points a transfer may change.
    func members(of transfer: Transfer) -> [Member.ID] {
        switch transfer {
        case .earn(let receipt): [receipt.member]
        case .hold(let call): [call.member]
        case .capture(let call): [call.member]
        case .void(let call): [call.member]
        case .return(let goods): [goods.member, self.owner(goods.member)]
        case .expire(let call): [call.member]
        case .stickers(let move): [move.member]
        case .merge(let merge): [merge.source, merge.member]
        default: []
        }
    }
}

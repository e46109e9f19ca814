import Contracts
import Kernel

/// The whole ledger of points in plain Swift: what the database must agree with. Written from the rules, not from the
/// SQL, and without any thought of speed. Every deed says the refusal's code, or nil when it was done.
struct ReferenceLedger {
    typealias Owner = Member.ID
    typealias HoldID = Kernel.Hold.ID
    typealias Part = (lot: Lot, points: Int64)

    struct Lot: Hashable {
        let number: Int
        let lotClass: String
        let expiresAt: Timestamp
        /// The receipt that earned it; nil for grace lots.
        let receipt: Receipt.ID?
        var remaining: Int64
    }

    struct Hold {
        let id: HoldID
        let placedAt: Timestamp
        let expiresAt: Timestamp
        /// What was taken from which lot, in the order of spending.
        let parts: [Part]
        var captured: Int64 = 0
        var returned: Int64 = 0
        /// What was captured in parts before the hold was closed.
        var inParts: Int64 = 0
        var state = "open"

        var points: Int64 { self.parts.reduce(0) { $0 + $1.points } }
        var held: Int64 { self.state == "open" ? self.points - self.captured : 0 }
    }

    /// Points that wait.
    struct Waiting {
        let receipt: Receipt.ID
        let lotClass: String
        let maturesAt: Timestamp
        var points: Int64

        init(_ receipt: Receipt.ID, _ lotClass: String, maturesAt: Timestamp, _ points: Int64) {
            (self.receipt, self.lotClass, self.maturesAt, self.points) = (receipt, lotClass, maturesAt, points)
        }
    }

    /// A line of the feed: what was done, and the balances after it.
    struct Line: Hashable {
        let kind: String
        let available, pending, held, debt: Int64
    }

    struct Wallet {
        var lots: [Lot] = []
        var holds: [Hold] = []
        var waiting: [Waiting] = []
        var debt: Int64 = 0
        var stickers: [String: Int64] = [:]
        var mergedInto: Owner?
        var feed: [Line] = []

        var held: Int64 { self.holds.reduce(0) { $0 + $1.held } }
        var pending: Int64 { self.waiting.reduce(0) { $0 + $1.points } }
    }

    struct Sale {
        let member: Owner
        let earned: Int64
        let policy: Policy
        var lines: [Line] = []
        var holds: [HoldID] = []

        struct Line {
            let sum, earned, spent: Int64
            var returned: Int64 = 0
        }
    }

    enum Policy: Hashable {
        case onlyPending, withinBalance
        case debt(floor: Int64)
    }

    var wallets: [Owner: Wallet] = [:]
    var sales: [Receipt.ID: Sale] = [:]
    /// Sticker campaigns, and when they end.
    var campaigns: [String: Timestamp] = [:]
    var policy = Policy.debt(floor: -5000)

    func available(_ member: Owner, at now: Timestamp) -> Int64 {
        self.spendable(member, at: now).reduce(0) { $0 + $1.remaining }
    }

    /// The calendar: points by expiry.
    func days(_ member: Owner, at now: Timestamp) -> [Timestamp: Int64] {
        self.spendable(member, at: now).reduce(into: [:]) { $0[$1.expiresAt, default: 0] += $1.remaining }
    }

    // MARK: Earning

    mutating func earn(_ receipt: PostReceipt, at now: Timestamp) {
        guard self.sales[receipt.receipt] == nil else { return }
        let member = receipt.member
        var lots: [String: Int64] = [:]
        for accrual in receipt.accruals where accrual.points > .zero {
            let lotClass = accrual.lotClass.rawValue
            if let moment = accrual.maturesAt {
                self[member].waiting.append(
                    Waiting(receipt.receipt, lotClass, maturesAt: moment, accrual.points.amount))
            } else {
                lots[lotClass, default: 0] += self.repay(accrual.points.amount, member)
            }
        }
        for (lotClass, points) in lots.sorted(by: { $0.key < $1.key }) {
            self.credit(lotClass, points, receipt.receipt, member, at: now)
        }
        let earned = receipt.accruals.reduce(0) { $0 + $1.points.amount }
        self.sales[receipt.receipt] = Sale(member: member, earned: earned, policy: self.policy)
        self.write("earn", member)
    }

    /// Everything that has waited long enough, member by member and receipt by receipt.
    mutating func mature(at now: Timestamp) {
        for member in self.wallets.keys.sorted() {
            let due = self[member].waiting.filter { $0.points > 0 && $0.maturesAt <= now }
            for receipt in Set(due.map(\.receipt)).sorted() {
                self.expire(member, at: now)
                let mine = due.filter { $0.receipt == receipt }
                let points = mine.reduce(into: [:]) { $0[$1.lotClass, default: 0] += $1.points }
                self[member].waiting.removeAll { $0.receipt == receipt && $0.maturesAt <= now }
                for (lotClass, points) in points.sorted(by: { $0.key < $1.key }) {
                    self.credit(lotClass, self.repay(points, member), receipt, member, at: now)
                }
                self.write("mature", member)
            }
        }
    }

    // MARK: Holds

    mutating func place(
        _ id: HoldID, _ points: Int64, for member: Owner, until deadline: Timestamp, at now: Timestamp
    ) -> String? {
        guard self.wallets[member] != nil else { return "unknown-member" }
        self.expire(member, at: now)
        guard points <= self.available(member, at: now) else { return "insufficient-points" }
        let parts = self.take(points, from: member, at: now)
        self[member].holds.append(Hold(id: id, placedAt: now, expiresAt: deadline, parts: parts))
        self.write("hold", member)
        return nil
    }

    /// Captures `points` (nil: what is left; 0: none) and, unless it is a part, gives back the rest.
    mutating func end(
        _ id: HoldID, _ points: Int64?, isPart: Bool = false, of member: Owner, at now: Timestamp
    ) -> String? {
        guard let index = self[member].holds.firstIndex(where: { $0.id == id }) else { return "unknown-hold" }
        var hold = self[member].holds[index]
        if hold.state == "open", hold.expiresAt <= now {
            self.settle(index, 0, "expired", member, at: now)
            hold = self[member].holds[index]
        }
        let left = hold.points - hold.inParts
        let wanted = points ?? left
        if wanted > left { return "exceeds-hold" }
        switch hold.state {
        case "captured" where wanted == 0: return "hold-captured"
        case "captured" where wanted != hold.captured - hold.inParts: return "hold-mismatch"
        case "captured": return isPart ? "hold-captured" : nil
        case "voided": return wanted > 0 ? "hold-voided" : nil
        case "expired": return wanted > 0 ? "hold-expired" : nil
        default: break
        }
        if isPart { self[member].holds[index].inParts += wanted }
        if isPart, hold.captured + wanted < hold.points {
            self.expire(member, at: now)
            self[member].holds[index].captured += wanted
            self.write("capture", member)
        } else {
            self.settle(index, wanted, wanted > 0 ? "captured" : "voided", member, at: now)
        }
        return nil
    }

    mutating func voidExpiredHolds(at now: Timestamp) {
        for (member, wallet) in self.wallets {
            let late = wallet.holds.enumerated().filter { $1.state == "open" && $1.expiresAt <= now }
            for (index, _) in late.sorted(by: { $0.element.id < $1.element.id }) {
                self.settle(index, 0, "expired", member, at: now)
            }
        }
    }

    /// What is not captured goes back to its lots, what is too late for that into a grace lot.
    private mutating func settle(_ index: Int, _ points: Int64, _ state: String, _ member: Owner, at now: Timestamp) {
        var hold = self[member].holds[index]
        hold.captured += points
        hold.state = state
        self[member].holds[index] = hold
        self.restore(hold.parts, hold.captured..<hold.points, to: member, from: member, at: now)
        self.write(points > 0 ? "capture" : "void", member)
    }

    // MARK: Returns

    /// Takes back what was earned with goods and gives back what was spent on them. `back`: line from 0, and how much.
    mutating func goodsBack(
        _ receipt: Receipt.ID, lines: [Int64], holds: [HoldID], back: [(line: Int, sum: Int64)],
        at now: Timestamp
    ) -> String? {
        guard var sale = self.sales[receipt] else { return "unknown-receipt" }
        let owner = self.owner(sale.member)
        if sale.lines.isEmpty {
            let paid = holds.compactMap { id in self.whose(id).map { self[$0.member].holds[$0.index] } }
            let spent = Self.allocate(paid.reduce(0) { $0 + $1.captured }, over: lines)
            let earned = Self.allocate(sale.earned, over: lines)
            sale.lines = lines.indices.map { Sale.Line(sum: lines[$0], earned: earned[$0], spent: spent[$0]) }
            sale.holds = holds
        }
        self.sales[receipt] = sale
        for (line, sum) in back where sale.lines[line].returned + sum > sale.lines[line].sum { return "exceeds-line" }
        self.expire(owner, at: now)
        var (clawed, restored) = (Int64(0), Int64(0))
        for (index, sum) in back {
            let line = sale.lines[index]
            let (before, after) = (line.returned, line.returned + sum)
            clawed += line.earned * after / line.sum - line.earned * before / line.sum
            restored += line.spent * after / line.sum - line.spent * before / line.sum
            sale.lines[index].returned = after
        }
        self.sales[receipt] = sale
        self.giveBack(restored, sale, owner, at: now)
        self.clawBack(clawed, receipt, sale, owner, at: now)
        self.write("return", owner)
        return nil
    }

    private mutating func giveBack(_ points: Int64, _ sale: Sale, _ owner: Owner, at now: Timestamp) {
        var rest = points
        let paid = sale.holds.compactMap { self.whose($0) }.map { (place: $0, hold: self[$0.member].holds[$0.index]) }
            .sorted { ($1.hold.placedAt, $0.hold.id) < ($0.hold.placedAt, $1.hold.id) }
        for (place, hold) in paid where rest > 0 {
            let end = hold.captured - hold.returned
            let part = min(rest, end)
            rest -= part
            self[place.member].holds[place.index].returned += part
            self.restore(hold.parts, (end - part)..<end, to: owner, from: place.member, at: now)
        }
    }

    private mutating func clawBack(
        _ points: Int64, _ receipt: Receipt.ID, _ sale: Sale, _ owner: Owner, at now: Timestamp
    ) {
        var left = points
        let latestFirst = self[owner].waiting.enumerated().filter { $0.element.receipt == receipt }
            .sorted { ($1.element.maturesAt, $0.offset) < ($0.element.maturesAt, $1.offset) }.map(\.offset)
        for index in latestFirst {
            let part = min(left, self[owner].waiting[index].points)
            self[owner].waiting[index].points -= part
            left -= part
        }
        guard sale.policy != .onlyPending else { return }
        left -= self.take(left, from: owner, at: now, first: receipt).reduce(0) { $0 + $1.points }
        if case .debt(let floor) = sale.policy {
            self[owner].debt += min(left, max(0, -floor - self[owner].debt))
        }
    }

    // MARK: Cards and stickers

    mutating func merge(_ source: Owner, into target: Owner, at now: Timestamp) -> String? {
        if source == target { return "same-member" }
        guard let giver = self.wallets[source] else { return "unknown-member" }
        if self[target].mergedInto != nil || ![source, target].contains(self.owner(source)) { return "merged-away" }
        for member in [source, target] { self.expire(member, at: now) }
        if giver.held > 0 { return "open-holds" }
        for lot in self.spendable(source, at: now) {
            self.add(lot.lotClass, lot.expiresAt, lot.remaining, lot.receipt, target)
            self.change(lot.number, by: -lot.remaining, source)
        }
        self[target].waiting += giver.waiting
        self[target].debt += giver.debt
        self[target].stickers.merge(giver.stickers) { $0 + $1 }
        (self[source].waiting, self[source].debt, self[source].stickers) = ([], 0, [:])
        self[source].mergedInto = target
        for member in [source, target] { self.write("merge", member) }
        return nil
    }

    mutating func stickers(_ count: Int64, of campaign: String, for member: Owner, at now: Timestamp) -> String? {
        guard let end = self.campaigns[campaign] else { return "unknown-campaign" }
        if end <= now { return "campaign-over" }
        self.expire(member, at: now)
        guard self[member].stickers[campaign, default: 0] + count >= 0 else { return "insufficient-stickers" }
        self[member].stickers[campaign, default: 0] += count
        self.write("sticker", member)
        return nil
    }

    mutating func endCampaigns(at now: Timestamp) {
        for (campaign, end) in self.campaigns where end <= now {
            for member in self.wallets.keys where self[member].stickers[campaign, default: 0] > 0 {
                self.expire(member, at: now)
                self[member].stickers[campaign] = 0
                self.write("expire", member)
            }
        }
    }

    // MARK: Expiry

    mutating func expire(at now: Timestamp) {
        for member in self.wallets.keys { self.expire(member, at: now) }
    }

    /// One transaction for each day.
    mutating func expire(_ member: Owner, at now: Timestamp) {
        let due = self[member].lots.filter { $0.expiresAt <= now && $0.remaining > 0 }
        for day in Set(due.map(\.expiresAt)).sorted() {
            for lot in due where lot.expiresAt == day { self.change(lot.number, by: -lot.remaining, member) }
            self.write("expire", member)
        }
    }
}

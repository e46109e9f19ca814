import Contracts
import Kernel

/// One member's points in plain Swift: what the ledger must agree with. Written from the rules, not from the SQL.
struct ReferenceWallet {
    struct Lot: Hashable {
        let lotClass: String
        let expiresAt: Timestamp
        let number: Int
        var remaining: Int64
    }

    struct Hold: Hashable {
        /// What was taken from which lot, first-expiring first.
        var parts: [Lot]
        let expiresAt: Timestamp

        var points: Int64 { self.parts.reduce(0) { $0 + $1.remaining } }
    }

    private(set) var lots: [Lot] = []
    private(set) var holds: [Kernel.Hold.ID: Hold] = [:]
    private var lastNumber = 0

    var held: Int64 { self.holds.values.reduce(0) { $0 + $1.points } }

    func available(at now: Timestamp) -> Int64 {
        self.spendable(at: now).reduce(0) { $0 + $1.remaining }
    }

    /// The calendar: points by expiry.
    func days(at now: Timestamp) -> [Timestamp: Int64] {
        self.spendable(at: now).reduce(into: [:]) { $0[$1.expiresAt, default: 0] += $1.remaining }
    }

    mutating func earn(_ accruals: [PostReceipt.Accrual], at now: Timestamp) {
        let classes = Dictionary(grouping: accruals, by: \.lotClass).mapValues {
            $0.reduce(0) { $0 + $1.points.amount }
        }
        for (lotClass, points) in classes.sorted(by: { $0.key.rawValue < $1.key.rawValue }) where points > 0 {
            self.add(lotClass.rawValue, Self.expiry(of: lotClass, creditedAt: now), points)
        }
    }

    /// - Returns: whether there was enough.
    mutating func place(_ id: Kernel.Hold.ID, _ points: Int64, until deadline: Timestamp, at now: Timestamp) -> Bool {
        guard points <= self.available(at: now) else { return false }
        var parts: [Lot] = []
        var missing = points
        for lot in self.spendable(at: now) where missing > 0 {
            var part = lot
            part.remaining = min(missing, lot.remaining)
            missing -= part.remaining
            self.change(lot.number, by: -part.remaining)
            parts.append(part)
        }
        self.holds[id] = Hold(parts: parts, expiresAt: deadline)
        return true
    }

    /// Burns so many points of a hold; the rest goes back to its lots, what is too late for that into a grace lot.
    mutating func settle(_ id: Kernel.Hold.ID, burning points: Int64, at now: Timestamp) {
        guard let hold = self.holds.removeValue(forKey: id) else { return }
        var toBurn = points
        var late: Int64 = 0
        for part in hold.parts {
            let burnt = min(toBurn, part.remaining)
            toBurn -= burnt
            if part.expiresAt > now {
                self.change(part.number, by: part.remaining - burnt)
            } else {
                late += part.remaining - burnt
            }
        }
        if late > 0 { self.add("grace", Self.endOfDay(14, after: now), late) }
    }

    mutating func voidExpiredHolds(at now: Timestamp) {
        for (id, hold) in self.holds where hold.expiresAt <= now { self.settle(id, burning: 0, at: now) }
    }

    mutating func expire(at now: Timestamp) {
        for lot in self.lots where lot.expiresAt <= now { self.change(lot.number, by: -lot.remaining) }
    }

    // MARK: Parts

    private func spendable(at now: Timestamp) -> [Lot] {
        self.lots.filter { $0.expiresAt > now && $0.remaining > 0 }
            .sorted { ($0.expiresAt, $0.number) < ($1.expiresAt, $1.number) }
    }

    private mutating func add(_ lotClass: String, _ expiresAt: Timestamp, _ points: Int64) {
        self.lastNumber += 1
        self.lots.append(Lot(lotClass: lotClass, expiresAt: expiresAt, number: self.lastNumber, remaining: points))
    }

    private mutating func change(_ number: Int, by points: Int64) {
        for index in self.lots.indices where self.lots[index].number == number { self.lots[index].remaining += points }
    }

    // MARK: The calendar of Moscow, three hours ahead of UTC all year since October 2014

    private static let moscow = Duration.seconds(3 * 3600)

    static func expiry(of lotClass: LotClass, creditedAt now: Timestamp) -> Timestamp {
        switch lotClass {
        case .promotional, .favourite, .birthday, .welcome: return self.endOfDay(30, after: now)
        case .regular, .migration:
            let today = Self.day(of: now)
            let months = today.year * 12 + today.month - 1 + 7
            return CivilDate(year: months / 12, month: months % 12 + 1, day: 1).map(Self.midnight) ?? now
        }
    }

    private static func endOfDay(_ days: Int64, after now: Timestamp) -> Timestamp {
        Self.midnight(CivilDate(daysSince1970: Self.day(of: now).daysSince1970 + days + 1))
    }

    private static func day(of now: Timestamp) -> CivilDate {
        CivilDate(daysSince1970: (now + Self.moscow).secondsSince1970 / 86_400)
    }

    private static func midnight(_ day: CivilDate) -> Timestamp {
        Timestamp(secondsSince1970: day.daysSince1970 * 86_400) - Self.moscow
    }
}

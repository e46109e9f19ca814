import Contracts
import Kernel

/// What the deeds are made of.
extension ReferenceLedger {
    subscript(member: Owner) -> Wallet {
        get { self.wallets[member] ?? Wallet() }
        set { self.wallets[member] = newValue }
    }

    func owner(_ member: Owner) -> Owner {
        self[member].mergedInto.map { self.owner($0) } ?? member
    }

    func whose(_ id: HoldID) -> (member: Owner, index: Int)? {
        for (member, wallet) in self.wallets {
            if let index = wallet.holds.firstIndex(where: { $0.id == id }) { return (member, index) }
        }
        return nil
    }

    func spendable(_ member: Owner, at now: Timestamp) -> [Lot] {
        self[member].lots.filter { $0.expiresAt > now && $0.remaining > 0 }
            .sorted { ($0.expiresAt, $0.number) < ($1.expiresAt, $1.number) }
    }

    /// Up to so many points: of the preferred receipt's lots first, then what expires first.
    mutating func take(
        _ points: Int64, from member: Owner, at now: Timestamp, first receipt: Receipt.ID? = nil
    ) -> [Part] {
        var parts: [Part] = []
        var missing = points
        let lots = self.spendable(member, at: now)
        let preferred = lots.filter { receipt != nil && $0.receipt == receipt }
        for lot in preferred + lots.filter({ !preferred.contains($0) }) where missing > 0 {
            let part = min(missing, lot.remaining)
            missing -= part
            self.change(lot.number, by: -part, member)
            parts.append((lot, part))
        }
        return parts
    }

    /// Gives the points of a hold's range back to their lots; what is too late for that lives for 14 days more.
    mutating func restore(
        _ parts: [Part], _ range: Range<Int64>, to owner: Owner, from member: Owner,
        at now: Timestamp
    ) {
        var (start, late) = (Int64(0), Int64(0))
        for (lot, points) in parts {
            let part = min(start + points, range.upperBound) - max(start, range.lowerBound)
            start += points
            if part <= 0 { continue }
            if lot.expiresAt <= now {
                late += part
            } else if member == owner {
                self.change(lot.number, by: part, owner)
            } else {
                self.add(lot.lotClass, lot.expiresAt, part, nil, owner)
            }
        }
        self.credit("grace", late, nil, owner, at: now)
    }

    mutating func credit(
        _ lotClass: String, _ points: Int64, _ receipt: Receipt.ID?, _ member: Owner, at now: Timestamp
    ) {
        guard points > 0 else { return }
        self.add(lotClass, ReferenceCalendar.expiry(lotClass, creditedAt: now), points, receipt, member)
    }

    /// Returns what is left when the debt is paid.
    mutating func repay(_ points: Int64, _ member: Owner) -> Int64 {
        let repaid = min(self[member].debt, points)
        self[member].debt -= repaid
        return points - repaid
    }

    mutating func add(
        _ lotClass: String, _ expiresAt: Timestamp, _ points: Int64, _ receipt: Receipt.ID?, _ member: Owner
    ) {
        let number = self[member].lots.count + 1
        self[member].lots.append(
            Lot(number: number, lotClass: lotClass, expiresAt: expiresAt, receipt: receipt, remaining: points))
    }

    mutating func change(_ number: Int, by points: Int64, _ member: Owner) {
        self[member].lots[number - 1].remaining += points
    }

    mutating func write(_ kind: String, _ member: Owner) {
        let wallet = self[member]
        let inLots = wallet.lots.reduce(0) { $0 + $1.remaining }
        self[member].feed.append(
            Line(kind: kind, available: inLots, pending: wallet.pending, held: wallet.held, debt: wallet.debt))
    }

    /// The largest remainder method; of equal remainders the earlier line gets the point.
    static func allocate(_ amount: Int64, over weights: [Int64]) -> [Int64] {
        let whole = weights.reduce(0, +)
        var shares = weights.map { whole == 0 ? 0 : amount * $0 / whole }
        let byRemainder = weights.indices.sorted {
            let (left, right) = (amount * weights[$0] % max(1, whole), amount * weights[$1] % max(1, whole))
            return left == right ? $0 < $1 : left > right
        }
        for index in byRemainder.prefix(Int(amount - shares.reduce(0, +))) { shares[index] += 1 }
        return shares
    }
}

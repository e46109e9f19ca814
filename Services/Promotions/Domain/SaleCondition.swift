import Kernel

/// When a rule applies: a pure tree over the sale as a whole, the member and the shop's clock. In JSON an object of one
/// key, like ``LineCondition``: `{"all": [{"weekday": [6, 7]}, {"total": {"from": 100000}}]}`.
indirect enum SaleCondition: Hashable, Sendable {
    case all([SaleCondition])
    case any([SaleCondition])
    case not(SaleCondition)
    /// The receipt's total in kopecks.
    case total(AmountRange)
    /// What there is of the lines that a condition holds for.
    case lines(LineDemand)
    /// One of these shops.
    case store(Set<String>)
    /// The member is on one of these levels.
    case level(Set<String>)
    /// The member is in one of these segments.
    case segment(Set<String>)
    /// The sale is so many days around the member's birthday.
    case birthday(DaysAround)
    /// Each so-many-th receipt of the member in a calendar month.
    case visit(Every)
    /// 1 is Monday, 7 is Sunday, in the shop's zone.
    case weekday(Set<Int>)
    /// The time of day in the shop's zone.
    case time(DayTime)
    /// The time of the sale.
    case window(Window)
    /// A coupon of one of these campaigns was taken at the till for the sale.
    case coupon(Set<String>)

    /// Half-open: `[from, to)`, in kopecks; nil is no bound.
    struct AmountRange: Hashable, Sendable, Codable {
        var from: Int64?
        var to: Int64?

        func contains(_ amount: Int64) -> Bool {
            (self.from.map { $0 <= amount } ?? true) && (self.to.map { amount < $0 } ?? true)
        }
    }

    /// All that is said must be there.
    struct LineDemand: Hashable, Sendable, Codable {
        var matching: LineCondition
        /// Thousandths.
        var quantity: Int64?
        /// Kopecks.
        var sum: Int64?
        var count: Int?
    }

    struct DaysAround: Hashable, Sendable, Codable {
        var before: Int64
        var after: Int64
    }

    struct Every: Hashable, Sendable, Codable {
        var every: Int64
    }

    /// Half-open, in minutes since midnight; it may run over midnight.
    struct DayTime: Hashable, Sendable, Codable {
        var from: Int64
        var to: Int64

        func contains(_ minute: Int64) -> Bool {
            self.from <= self.to ? self.from <= minute && minute < self.to : minute >= self.from || minute < self.to
        }
    }
}

extension SaleCondition {
    func holds(for sale: Sale, of member: MemberFacts) -> Bool {
        let local = LocalTime(sale.at, offsetMinutes: member.offsetMinutes)
        return switch self {
        case .all(let conditions): conditions.allSatisfy { $0.holds(for: sale, of: member) }
        case .any(let conditions): conditions.contains { $0.holds(for: sale, of: member) }
        case .not(let condition): !condition.holds(for: sale, of: member)
        case .total(let range): range.contains(sale.total.amount)
        case .lines(let demand): demand.holds(for: sale, of: member)
        case .store(let stores): stores.contains(sale.store.text)
        case .level(let levels): member.level.map(levels.contains) ?? false
        case .segment(let segments): !member.segments.isDisjoint(with: segments)
        case .birthday(let days): member.birthday.map { days.contain(local.date, around: $0) } ?? false
        case .visit(let every): every.every > 0 && member.visit % every.every == 0
        case .weekday(let weekdays): weekdays.contains(local.weekday)
        case .time(let time): time.contains(local.minute)
        case .window(let window): window.contains(sale.at)
        case .coupon(let campaigns): !member.coupons.isDisjoint(with: campaigns)
        }
    }

    /// This condition and those inside of it.
    var parts: [SaleCondition] {
        switch self {
        case .all(let conditions), .any(let conditions): [self] + conditions.flatMap(\.parts)
        case .not(let condition): [self] + condition.parts
        default: [self]
        }
    }
}

extension SaleCondition.LineDemand {
    func holds(for sale: Sale, of member: MemberFacts) -> Bool {
        let lines = sale.lines.filter { self.matching.holds(for: $0, liking: member.favourites) }
        // A receipt has at most 2000 lines of 10^12 each: the sums fit.
        if let sum = self.sum, lines.reduce(0, { $0 + $1.sum.amount }) < sum { return false }
        if let quantity = self.quantity, lines.reduce(0, { $0 + $1.quantity.thousandths }) < quantity { return false }
        return lines.count >= self.count ?? 1
    }
}

extension SaleCondition.DaysAround {
    func contain(_ date: CivilDate, around birthday: Birthday) -> Bool {
        (date.year - 1...date.year + 1).contains { year in
            guard let day = birthday.date(in: year)?.daysSince1970 else { return false }
            return day - self.before <= date.daysSince1970 && date.daysSince1970 <= day + self.after
        }
    }
}

extension SaleCondition: Codable {
    private enum CodingKeys: String, CodingKey {
        case all, any, not, total, lines, store, level, segment, birthday, visit, weekday, time, window, coupon
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        // An unknown condition must never be read as one that always holds: the ruleset is refused instead.
        guard container.allKeys.count == 1, let key = container.allKeys.first else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "a condition has exactly one known key"))
        }
        func value<Value: Decodable>(_: Value.Type = Value.self) throws -> Value {
            try container.decode(Value.self, forKey: key)
        }
        switch key {
        case .all: self = .all(try value())
        case .any: self = .any(try value())
        case .not: self = .not(try value())
        case .total: self = .total(try value())
        case .lines: self = .lines(try value())
        case .store: self = .store(try value())
        case .level: self = .level(try value())
        case .segment: self = .segment(try value())
        case .birthday: self = .birthday(try value())
        case .visit: self = .visit(try value())
        case .weekday: self = .weekday(try value())
        case .time: self = .time(try value())
        case .window: self = .window(try value())
        case .coupon: self = .coupon(try value())
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .all(let conditions): try container.encode(conditions, forKey: .all)
        case .any(let conditions): try container.encode(conditions, forKey: .any)
        case .not(let condition): try container.encode(condition, forKey: .not)
        case .total(let range): try container.encode(range, forKey: .total)
        case .lines(let demand): try container.encode(demand, forKey: .lines)
        case .store(let stores): try container.encode(stores.sorted(), forKey: .store)
        case .level(let levels): try container.encode(levels.sorted(), forKey: .level)
        case .segment(let segments): try container.encode(segments.sorted(), forKey: .segment)
        case .birthday(let days): try container.encode(days, forKey: .birthday)
        case .visit(let every): try container.encode(every, forKey: .visit)
        case .weekday(let weekdays): try container.encode(weekdays.sorted(), forKey: .weekday)
        case .time(let time): try container.encode(time, forKey: .time)
        case .window(let window): try container.encode(window, forKey: .window)
        case .coupon(let campaigns): try container.encode(campaigns.sorted(), forKey: .coupon)
        }
    }
}

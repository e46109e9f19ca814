import Kernel

/// One rule: when it applies, to which lines, and what it gives.
struct Rule: Hashable, Sendable, Codable {
    /// Named in the line's reason and on the member's statement: `base`.
    var id: String
    /// The ledger's class of the lot that the points go to; it decides when they expire.
    var lotClass: LotClass
    /// The sales that the rule is for, by fiscal time; nil is every sale.
    var window: Window?
    /// From this moment on receipts that arrive late earn nothing more under the rule; nil is never.
    var closesAt: Timestamp?
    /// What must be so; nil is nothing.
    var when: SaleCondition?
    /// The lines that count; nil is every line that is not excluded.
    var lines: LineCondition?
    var effect: Effect
    /// The group that decides which of its rules give something; nil: the rule gives whatever the others do.
    var group: String?
    /// Rules of a higher priority come first; nil is 0. Among equals the order of the document decides.
    var priority: Int?
    var limits: Limits?
    /// The budget that the points are taken from; nil is none.
    var budget: String?

    /// Kinds of points that differ in how long they live.
    enum LotClass: String, Hashable, Sendable, Codable {
        case regular, promotional, favourite, birthday, welcome
    }

    /// What a rule gives.
    enum Effect: Hashable, Sendable, Codable {
        /// `points` for each `kopecks` of the counted lines' sum, rounded down once per receipt.
        case earnRate(points: Int64, kopecks: Int64)
        /// What the rates without a group give for the counted lines becomes so many per cent: 300 is three times as
        /// much, 200 of the 300 by this rule.
        case earnMultiply(percent: Int64)
        /// A number of points.
        case earnAdd(points: Int64, each: Unit)
        /// The counted lines cost so much a piece, kilogram or litre, where that is less.
        case price(kopecks: Int64)
        /// Stickers of a campaign: `count` for each `kopecks` of the counted lines' sum, or without it for each piece.
        case stickers(campaign: String, count: Int64, kopecks: Int64?)
        /// A coupon of a campaign.
        case coupon(campaign: String)
        /// The counted lines give nothing, and the till and the member are told why.
        case refuse(russian: String, english: String)
    }

    /// What something is given for.
    enum Unit: String, Hashable, Sendable, Codable {
        case receipt
        /// Each whole piece, kilogram or litre.
        case piece
    }

    /// How much a rule may give.
    struct Limits: Hashable, Sendable, Codable {
        /// Points on one receipt.
        var receiptPoints: Int64?
        var member: [MemberLimit]?
    }

    /// How much a rule may give one member in a period.
    struct MemberLimit: Hashable, Sendable, Codable {
        var period: Period
        var points: Int64?
        var times: Int64?
    }

    /// Calendar periods in Moscow, by the time of the sale.
    enum Period: String, Hashable, Sendable, Codable, CaseIterable {
        case day, week, month, year, ever
    }

    func applies(to sale: Sale, of member: MemberFacts, at now: Timestamp) -> Bool {
        if let window = self.window, !window.contains(sale.at) { return false }
        if let closesAt = self.closesAt, now >= closesAt { return false }
        return self.when?.holds(for: sale, of: member) ?? true
    }
}

extension Rule.Period {
    /// The first day of the period that a moment falls into.
    func start(of moment: Timestamp) -> CivilDate {
        let date = LocalTime(moment, offsetMinutes: LocalTime.moscowMinutes).date
        return switch self {
        case .day: date
        case .week: date.adding(days: Int64(1 - date.weekday))
        case .month: date.firstOfMonth
        case .year: CivilDate(year: date.year, month: 1, day: 1) ?? date
        case .ever: CivilDate(daysSince1970: 0)
        }
    }
}

/// Which of its rules give something.
struct RuleGroup: Hashable, Sendable, Codable {
    enum Mode: String, Hashable, Sendable, Codable {
        /// The one that is worth most to the member.
        case best
        /// All of them.
        case sum
        /// The first that gives anything.
        case first
        /// The first that gives anything, and then no rule outside of the group gives anything.
        case exclusive
    }

    var id: String
    var mode: Mode
}

/// Points that may be given out, whoever gets them.
struct Budget: Hashable, Sendable, Codable {
    enum WhenSpent: String, Hashable, Sendable, Codable {
        /// A receipt that would need more than is left gets nothing from it.
        case stop
        /// The last receipt gets what is left.
        case cut
    }

    var id: String
    var points: Int64
    /// Parts that are spent independently, so that tills do not wait for each other. A receipt is paid out of one of them.
    var slices: Int
    var whenSpent: WhenSpent
}

/// Half-open: `[from, to)`.
struct Window: Hashable, Sendable, Codable {
    var from: Timestamp
    var to: Timestamp

    func contains(_ moment: Timestamp) -> Bool { self.from <= moment && moment < self.to }
}

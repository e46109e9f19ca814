import Kernel

/// Everything that decides what a receipt earns and how much of it may be paid with points. Stored as one JSON
/// document per version; the version is pinned on each receipt, so that a return is judged by the rules of its sale.
struct Ruleset: Hashable, Sendable, Codable {
    /// Lines that never count, whatever the rules say.
    var exclusions: [Exclusion]
    var rules: [Rule]
    var spending: SpendingPolicy

    /// A ruleset as it is stored: its number and its document.
    struct Version: Hashable, Sendable {
        let number: Int64
        let ruleset: Ruleset
    }
}

/// Lines that are left out, and of what.
struct Exclusion: Hashable, Sendable, Codable {
    enum Purpose: String, Hashable, Sendable, Codable {
        case earning
        case spending
    }

    /// Named in the line's reason: `tobacco`.
    var id: String
    var lines: LineCondition
    var from: Set<Purpose>
}

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
    /// The lines that count; nil is every line that is not excluded.
    var lines: LineCondition?
    var effect: Effect

    /// Kinds of points that differ in how long they live.
    enum LotClass: String, Hashable, Sendable, Codable {
        case regular
        case promotional
    }

    /// What a rule gives. Prices, stickers and coupons are further cases.
    enum Effect: Hashable, Sendable, Codable {
        /// `points` for each `kopecks` of the counted lines' sum, rounded down once per receipt.
        case earnRate(points: Int64, kopecks: Int64)
    }

    func applies(to sale: Sale, at now: Timestamp) -> Bool {
        if let window = self.window, !window.contains(sale.at) { return false }
        if let closesAt = self.closesAt, now >= closesAt { return false }
        return true
    }
}

/// Half-open: `[from, to)`.
struct Window: Hashable, Sendable, Codable {
    var from: Timestamp
    var to: Timestamp

    func contains(_ moment: Timestamp) -> Bool { self.from <= moment && moment < self.to }
}

extension Ruleset {
    /// Why a ruleset may not be stored.
    enum Defect: Error, Hashable {
        case repeatedName(String)
        case emptyWindow(rule: String)
        /// More than a point per kopeck, or a rate of nothing: a slip of the pen, never a campaign.
        case rateOutOfRange(rule: String)
        case spendingOutOfRange
    }

    /// Refuses a ruleset that cannot be meant: names must be unique, windows not empty, rates within reason.
    func validate() throws(Defect) {
        var names: Set<String> = []
        for name in self.exclusions.map(\.id) + self.rules.map(\.id) {
            guard names.insert(name).inserted else { throw .repeatedName(name) }
        }
        for rule in self.rules {
            if let window = rule.window, window.to <= window.from { throw .emptyWindow(rule: rule.id) }
            switch rule.effect {
            case .earnRate(let points, let kopecks):
                guard points > 0, kopecks >= points else { throw .rateOutOfRange(rule: rule.id) }
            }
        }
        guard (0...100).contains(self.spending.percentOfTotal), self.spending.kopecksPerPoint > 0 else {
            throw .spendingOutOfRange
        }
    }
}

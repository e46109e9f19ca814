import Kernel

/// Everything that decides what a receipt earns and how much of it may be paid with points. Stored as one JSON
/// document per version; the version is pinned on each receipt, so that a return is judged by the rules of its sale.
struct Ruleset: Hashable, Sendable, Codable {
    /// Lines that never count, whatever the rules say.
    var exclusions: [Exclusion]
    var rules: [Rule]
    var spending: SpendingPolicy
    var groups: [RuleGroup]?
    var budgets: [Budget]?

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

    /// What a coupon or an exchange paid for earns nothing, whatever the ruleset says: otherwise points are paid for
    /// points.
    static let reward = Exclusion(id: "reward", lines: .tag(["reward"]), from: [.earning])
}

extension Ruleset {
    /// What must be looked up before the ruleset can be applied.
    struct Needs: OptionSet, Sendable {
        let rawValue: Int
        /// Level, segments, birthday.
        static let profile = Needs(rawValue: 1)
        static let visits = Needs(rawValue: 2)
        static let favourites = Needs(rawValue: 4)
        static let coupons = Needs(rawValue: 8)
        /// The shop's zone.
        static let zone = Needs(rawValue: 16)
        /// What limited rules gave before, budgets, and coupons that are left: read and written under a lock.
        static let counters = Needs(rawValue: 32)
    }

    var needs: Needs {
        var needs: Needs = []
        for rule in self.rules {
            if rule.isCounted || rule.budget != nil || rule.coupon != nil { needs.insert(.counters) }
            if rule.lines?.asksForFavourites ?? false { needs.insert(.favourites) }
            for condition in rule.when?.parts ?? [] {
                switch condition {
                case .level, .segment: needs.insert(.profile)
                case .birthday: needs.formUnion([.profile, .zone])
                case .visit: needs.insert(.visits)
                case .weekday, .time: needs.insert(.zone)
                case .coupon: needs.insert(.coupons)
                case .lines(let demand): if demand.matching.asksForFavourites { needs.insert(.favourites) }
                case .all, .any, .not, .total, .store, .window: break
                }
            }
        }
        return needs
    }
}

extension Rule {
    /// The campaign of which it gives coupons.
    var coupon: String? {
        guard case .coupon(let campaign) = self.effect else { return nil }
        return campaign
    }

    /// Whether it is written down what the rule gives a member: because it is limited, or to show what favourites earned.
    var isCounted: Bool { self.lotClass == .favourite || !(self.limits?.member ?? []).isEmpty }

    /// The periods over which it is counted.
    var countedPeriods: Set<Period> {
        Set((self.limits?.member ?? []).map(\.period)).union(self.lotClass == .favourite ? [.month] : [])
    }
}

import Kernel

/// What the rules may know of a member, the shop and what was given before. Everything beyond the member is empty unless
/// a rule asks for it (`Ruleset.needs`), so that a plain ruleset costs no look-ups.
struct MemberFacts: Hashable, Sendable {
    let member: Member.ID
    /// The level by turnover: `silver`.
    var level: String?
    /// Groups that colleagues have put the member into.
    var segments: Set<String> = []
    var birthday: Birthday?
    /// Which receipt of the month this one is, from 1, by the time of the sale.
    var visit: Int64 = 1
    var favourites = Favourites()
    /// The campaigns whose coupons were taken at the till for this sale.
    var coupons: Set<String> = []
    /// What the limited rules gave before, in the period that the sale falls into.
    var used: [RulePeriod: RuleUse] = [:]
    /// Points that are left in the budgets.
    var budgets: [String: Int64] = [:]
    /// How many coupons of each campaign the rules may still give the member; nil: as many as they like.
    var couponsLeft: [String: Int64]?
    /// The zone of the shop, in minutes east of Greenwich.
    var offsetMinutes = LocalTime.moscowMinutes
}

/// A birthday without its year.
struct Birthday: Hashable, Sendable {
    let month: Int64
    let day: Int64

    /// The day of a year; 29 February is kept on the 28th of other years.
    func date(in year: Int64) -> CivilDate? {
        CivilDate(year: year, month: self.month, day: self.day)
            ?? CivilDate(year: year, month: self.month, day: self.day - 1)
    }
}

/// What a member has chosen to like for a month.
struct Favourites: Hashable, Sendable {
    /// With the shelves below them.
    var categories: Set<String> = []
    var products: Set<String> = []

    func contain(_ line: ReceiptLine) -> Bool {
        self.products.contains(line.sku) || line.category.map(self.categories.contains) ?? false
    }
}

/// A rule and a length of time over which it is counted.
struct RulePeriod: Hashable, Sendable {
    let rule: String
    let period: Rule.Period
}

/// How often a rule gave something and how much.
struct RuleUse: Hashable, Sendable {
    var points: Int64 = 0
    var times: Int64 = 0
}

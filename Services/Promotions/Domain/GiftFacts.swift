import Kernel

/// What the rules knew of a member when a receipt brought something beside points: kept with the receipt, so that what goods
/// that come back take with them is decided by the facts of the sale and not by those of the return.
struct GiftFacts: Hashable, Sendable, Codable {
    struct Day: Hashable, Sendable, Codable {
        let month: Int64
        let day: Int64
    }

    let level: String?
    let segments: [String]
    let birthday: Day?
    let visit: Int64
    let categories: [String]
    let products: [String]
    let coupons: [String]
    let offsetMinutes: Int64

    init(_ facts: MemberFacts) {
        (self.level, self.segments, self.visit) = (facts.level, facts.segments.sorted(), facts.visit)
        self.birthday = facts.birthday.map { Day(month: $0.month, day: $0.day) }
        (self.categories, self.products) = (facts.favourites.categories.sorted(), facts.favourites.products.sorted())
        (self.coupons, self.offsetMinutes) = (facts.coupons.sorted(), facts.offsetMinutes)
    }

    /// The facts again. Counters are as if nothing had been given before: what they cut are points, and points are taken back
    /// line by line.
    func facts(of member: Member.ID, under ruleset: Ruleset) -> MemberFacts {
        var facts = MemberFacts(member: member)
        (facts.level, facts.segments, facts.visit) = (self.level, Set(self.segments), self.visit)
        facts.birthday = self.birthday.map { Birthday(month: $0.month, day: $0.day) }
        facts.favourites = Favourites(categories: Set(self.categories), products: Set(self.products))
        (facts.coupons, facts.offsetMinutes) = (Set(self.coupons), self.offsetMinutes)
        facts.budgets = Dictionary((ruleset.budgets ?? []).map { ($0.id, $0.points) }) { $1 }
        return facts
    }
}

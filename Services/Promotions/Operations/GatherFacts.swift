import Kernel
import Postgres

/// Looks up what a ruleset asks of members and shops, and nothing else.
struct GatherFacts: Sendable {
    private let store = FactStore()
    private let budgets = BudgetStore()
    private let coupons = CouponStore()

    /// One set of facts for each sale, in their order. What was given before and what is left in budgets is what it is at
    /// this moment, without a lock: good for telling, not for giving.
    func callAsFunction(
        _ subjects: [FactStore.Subject], for ruleset: Ruleset, at now: Timestamp,
        in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [MemberFacts] {
        var facts = subjects.map { MemberFacts(member: $0.member) }
        let (needs, sales) = (ruleset.needs, subjects.map(\.sale))
        guard !needs.isEmpty, !facts.isEmpty else { return facts }
        if needs.contains(.profile) { try await self.store.addProfiles(to: &facts, in: runner) }
        if needs.contains(.zone) { try await self.store.addZones(to: &facts, of: sales, in: runner) }
        if needs.contains(.visits) { try await self.store.addVisits(to: &facts, of: sales, in: runner) }
        if needs.contains(.favourites) { try await self.store.addFavourites(to: &facts, of: sales, in: runner) }
        if needs.contains(.coupons) { try await self.store.addCoupons(to: &facts, of: sales, in: runner) }
        if needs.contains(.counters) {
            let left = try await self.budgets.left(of: (ruleset.budgets ?? []).map(\.id), in: runner)
            for index in facts.indices {
                try await self.store.addUses(to: &facts[index], of: ruleset.rules, at: sales[index].at, in: runner)
                facts[index].budgets = left
                facts[index].couponsLeft = try await self.coupons.left(
                    of: Set(ruleset.rules.compactMap(\.coupon)), for: facts[index].member, at: now, in: runner)
            }
        }
        return facts
    }

    /// The same facts with the counters as they are, locked until the transaction ends: first the member, then campaigns
    /// of coupons and budgets, each in the order of their names.
    /// - Parameter wanted: points of each budget that the sale would be given without waiting.
    func locked(
        _ facts: MemberFacts, of sale: Sale, wanting wanted: [String: Int64], for ruleset: Ruleset, at now: Timestamp,
        in transaction: borrowing Transaction
    ) async throws -> (facts: MemberFacts, slices: [BudgetStore.Slice]) {
        var facts = facts
        (facts.used, facts.budgets, facts.couponsLeft) = ([:], [:], [:])
        try await self.store.lock(facts.member, in: transaction)
        try await self.store.addUses(to: &facts, of: ruleset.rules, at: sale.at, in: transaction)
        var slices: [BudgetStore.Slice] = []
        let rules = ruleset.rules.filter { $0.applies(to: sale, of: facts, at: now) }
        let campaigns = Set(rules.compactMap(\.coupon))
        try await self.coupons.lock(campaigns, in: transaction)
        facts.couponsLeft = try await self.coupons.left(of: campaigns, for: facts.member, at: now, in: transaction)
        for name in Set(rules.compactMap(\.budget)).sorted() {
            let slice = try await self.budgets.lock(name, wanted: wanted[name] ?? 0, in: transaction)
            guard let slice else { continue }
            facts.budgets[name] = slice.points
            slices.append(slice)
        }
        return (facts, slices)
    }

    /// Writes down what was given.
    func count(
        _ evaluation: Evaluation, _ slices: [BudgetStore.Slice], of sale: Sale, by member: Member.ID,
        for ruleset: Ruleset, in transaction: borrowing Transaction
    ) async throws {
        try await self.store.count(evaluation.uses, of: ruleset.rules, by: member, at: sale.at, in: transaction)
        for slice in slices {
            guard let points = evaluation.spent[slice.budget], points > 0 else { continue }
            try await self.budgets.take(points, from: slice, in: transaction)
        }
    }
}

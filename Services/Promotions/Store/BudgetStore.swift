import Kernel
import Postgres

/// Budgets in slices: a receipt is paid out of one slice, which is locked from the look at it to the end of the
/// transaction, so that no point is given twice and tills wait for each other only when slices run out.
struct BudgetStore: Sendable {
    /// A slice that is locked.
    struct Slice: Sendable {
        let budget: String
        let number: Int32
        let points: Int64
    }

    /// Locks a slice: one that nobody else is at and that has enough; else the fullest one, waiting for it, so that nobody
    /// goes without while a slice has something. nil when there is no such budget, or nothing is wanted and none is free.
    /// - Parameter wanted: points that the receipt would be given.
    func lock(_ budget: String, wanted: Int64, in transaction: borrowing Transaction) async throws -> Slice? {
        let free = try await transaction.first(
            """
            select slice, points
            from promotions.budget_slice
            where budget = \(budget) and points >= \(max(wanted, 1))
            order by points desc, slice
            limit 1
            for update skip locked
            """)
        if let free {
            let (number, points) = try free.decode(Int32.self, Int64.self)
            return Slice(budget: budget, number: number, points: points)
        }
        return wanted > 0 ? try await self.lockFullest(of: budget, in: transaction) : nil
    }

    /// Whoever waited for a slice finds less in it than others may have by then. It goes on to the fullest and keeps those
    /// it has: only one waits at a time, under the budget's own row, and so none waits for another in a circle.
    private func lockFullest(of budget: String, in transaction: borrowing Transaction) async throws -> Slice? {
        try await transaction.execute(
            "select from promotions.budget where budget = \(budget) for no key update")
        var held: Set<Int32> = []
        while true {
            let row = try await transaction.first(
                """
                select slice, points
                from promotions.budget_slice
                where budget = \(budget)
                order by points desc, slice = any (\(Array(held))) desc, slice
                limit 1
                """)
            guard let row else { return nil }
            let (number, points) = try row.decode(Int32.self, Int64.self)
            if held.contains(number) { return Slice(budget: budget, number: number, points: points) }
            try await transaction.execute(
                """
                select
                from promotions.budget_slice
                where budget = \(budget) and slice = \(number)
                for update
                """)
            held.insert(number)
        }
    }

    /// Takes points out of a locked slice.
    func take(_ points: Int64, from slice: Slice, in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            """
            update promotions.budget_slice
            set points = points - \(points)
            where budget = \(slice.budget) and slice = \(slice.number)
            """)
    }

    /// Points that a receipt can have of each budget: what is left in its fullest slice.
    func left(of budgets: [String], in runner: borrowing some QueryRunner & ~Copyable) async throws -> [String: Int64] {
        let rows = try await runner.query(
            """
            select budget, max(points)
            from promotions.budget_slice
            where budget = any (\(budgets))
            group by budget
            """
        ).map { try $0.decode(String.self, Int64.self) }
        return Dictionary(rows) { $1 }
    }

    /// Grants what a ruleset's budgets have more than was granted before; a budget never becomes smaller. False when one
    /// would.
    func grant(_ budgets: [Budget], in transaction: borrowing Transaction) async throws -> Bool {
        for budget in budgets.sorted(by: { $0.id < $1.id }) {
            let before = try await transaction.first(
                "select granted from promotions.budget where budget = \(budget.id) for update"
            )?.decode(Int64.self)
            let more = budget.points - (before ?? 0)
            guard more >= 0 else { return false }
            try await transaction.execute(
                """
                insert into promotions.budget (budget, granted) values (\(budget.id), \(budget.points))
                on conflict (budget) do update set granted = excluded.granted
                """)
            let shares = allocate(more, over: (0..<budget.slices).map { _ in 1 })
            try await transaction.execute(
                """
                insert into promotions.budget_slice as slice (budget, slice, points)
                select \(budget.id), number, points
                from unnest(\((0..<budget.slices).map { Int32($0) }), \(shares)) as share (number, points)
                on conflict (budget, slice) do update set points = slice.points + excluded.points
                """)
        }
        return true
    }
}

import JobQueue
import Kernel
import Postgres

/// Target E: a job whose effect is one UPDATE of an account, completed in the same transaction, against that UPDATE
/// alone. In batches, as the ledger works, and one by one; exactly once means a commit for each job then, not more.
enum ExactlyOnceCase {
    private static let accounts = 100_000
    private static let jobs = 30_000
    private static let rawUpdate = """
        \\set account random(1, \(accounts))
        update account set balance = balance + 1 where id = :account;
        """

    private struct Mode {
        let name: String
        let jobs: Int
        let handler: @Sendable (Countdown) -> Handler
    }

    private static let single = Mode(name: "one by one", jobs: jobs / 3) { countdown in
        .transactional(NoOp.self) { message, _, transaction in
            let account = message.id % Int64(accounts) + 1
            try await transaction.execute("update account set balance = balance + 1 where id = \(account)")
            transaction.afterCommit { countdown.count() }
        }
    }

    private static let batch = Mode(name: "batches of 500", jobs: jobs) { countdown in
        .batch(NoOp.self, limit: 500) { batch, transaction in
            let accounts = batch.map { $0.message.id % Int64(Self.accounts) + 1 }
            try await transaction.execute(
                """
                with n as (
                    select id, count(*) from unnest(\(accounts)) id group by id
                ), locked as materialized (  -- in one order, or two batches deadlock
                    select a.id from account a where a.id in (select n.id from n) order by a.id for no key update
                )
                update account a set balance = a.balance + n.count
                from n join locked using (id)
                where a.id = n.id
                """)
            let count = batch.count
            transaction.afterCommit { countdown.count(count) }
        }
    }

    static func run(_ world: World) async throws {
        for mode in [Self.single, Self.batch] {
            var commits: [Double] = []
            let result = try await Interleaved.measure(rounds: world.rounds) {
                try await Self.burnDown(world, mode, &commits)
            } raw: {
                try await Self.updateRate(world)
            }
            let conditions = world.conditions.with([
                "jobs": "\(mode.jobs)", "slots": "8", "accounts": "\(Self.accounts)",
            ])
            try world.report.add(
                Figure(
                    "E", "exactly once: an UPDATE and the completion, \(mode.name)", result.ours.median, "jobs/s",
                    raw: result.raw.median, rawName: "pgbench -c 8, the UPDATE", goal: .ratio(atLeast: 0.75),
                    conditions: conditions))
            try world.report.add(
                Figure(
                    "E", "commits per job, \(mode.name)", commits.median, "commits", goal: .value(atMost: 1.05),
                    conditions: conditions))
        }
    }

    private static func makeAccounts(_ owner: Database) async throws {
        try await owner.execute(
            "create table account (id bigint primary key, balance bigint not null) with (fillfactor = 70)")
        try await owner.execute("insert into account select n, 0 from generate_series(1, \(Self.accounts)) n")
        try await owner.execute("grant all on account to public")
        try await owner.execute("analyze account")
    }

    private static func updateRate(_ world: World) async throws -> Double {
        try await world.withFreshDatabase("bench_raw_once") { name in
            let owner = world.database(name, pool: 1)
            try await Self.makeAccounts(owner)
            await owner.shutdown()
            return try await world.pgbench(name).transactionsPerSecond(
                script: Self.rawUpdate, clients: 8, seconds: world.seconds)
        }
    }

    private static func burnDown(_ world: World, _ mode: Mode, _ commits: inout [Double]) async throws -> Double {
        let (rate, cost) = try await BenchBus.with(world, "bench_once") { bench in
            let owner = world.database("bench_once", pool: 1)
            try await Self.makeAccounts(owner)
            try await bench.preload(mode.jobs)
            let before = try await ServerCounters.read(world, database: "bench_once")
            let countdown = Countdown(mode.jobs)
            let clock = ContinuousClock()
            let elapsed = try await bench.working([mode.handler(countdown)]) {
                await clock.measure { await countdown.reachesZero() }
            }
            let cost = try await ServerCounters.read(world, database: "bench_once") - before
            let applied = try await owner.one("select sum(balance)::bigint from account").value(at: 0, as: Int64.self)
            await owner.shutdown()
            guard applied == mode.jobs else { throw Unequal(applied: applied, jobs: mode.jobs) }
            return (Double(mode.jobs) / elapsed.inSeconds, cost)
        }
        commits.append(Double(cost.commits) / Double(mode.jobs))
        return rate
    }

    /// The effects are counted, so that a figure of a wrong run is none.
    struct Unequal: Error {
        let applied: Int64
        let jobs: Int
    }
}

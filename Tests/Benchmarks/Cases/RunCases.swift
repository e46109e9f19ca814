import FoundationEssentials
import JobQueue
import Kernel
import Postgres

/// How fast jobs are run, and what one costs the server.
enum RunCases {
    private static let rawClaim = """
        with c as (
          delete from raw_job where id in (select id from raw_job order by id limit 500 for update skip locked)
          returning id, queue, args)
        insert into raw_history (id, queue, args) select id, queue, args from c;
        """

    /// Target C and K: burn-down of waiting jobs in transactional batches of 500, history kept.
    static func burnDown(_ world: World) async throws {
        let jobs = 200_000
        var ours: [Double] = []
        var raw: [Double] = []
        var cost: [ServerCounters] = []
        for _ in 0..<world.rounds {
            raw.append(try await self.rawBurnDown(world, jobs))
            try await BenchBus.with(world, "bench_burn") { bench in
                try await bench.preload(jobs)
                let before = try await ServerCounters.read(world, database: "bench_burn")
                let countdown = Countdown(jobs)
                let clock = ContinuousClock()
                let start = clock.now
                try await bench.working(
                    [.batch(NoOp.self, limit: 500) { batch, _ in countdown.count(batch.count) }]
                ) { await countdown.reachesZero() }
                ours.append(Double(jobs) / (clock.now - start).inSeconds)
                cost.append(try await ServerCounters.read(world, database: "bench_burn") - before)
            }
        }
        let conditions = world.conditions.with(["jobs": "\(jobs)", "batch": "500"])
        try world.report.add(
            Figure(
                "C", "no-op jobs in transactional batches of 500, history kept", ours.median, "jobs/s", raw: raw.median,
                rawName: "pgbench, claim and append", goal: .ratio(atLeast: 0.6), conditions: conditions))
        try world.report.add(
            Figure(
                "K", "commits per job, batches", cost.map { Double($0.commits) / Double(jobs) }.median, "commits",
                conditions: conditions))
        try world.report.add(
            Figure(
                "K", "WAL per job, claim to history, batches", cost.map { Double($0.walBytes) / Double(jobs) }.median,
                "B",
                conditions: conditions))
    }

    private static func rawBurnDown(_ world: World, _ jobs: Int) async throws -> Double {
        try await world.withFreshDatabase("bench_raw_burn") { name in
            let database = world.database(name, pool: 1)
            try await database.execute(
                """
                create table raw_job (
                    id bigint generated always as identity primary key,
                    queue text not null default 'default',
                    run_at timestamptz not null default now(),
                    args jsonb not null
                )
                """)
            try await database.execute(
                """
                create table raw_history (
                    id bigint not null,
                    queue text not null,
                    args jsonb not null,
                    done_at timestamptz not null default now()
                )
                """)
            try await database.execute("create index on raw_history (id)")
            try await database.execute(
                """
                insert into raw_job (args)
                select jsonb_build_object('id', n, 'pad', repeat('x', 76)) from generate_series(1, \(jobs)) n
                """)
            try await database.execute("analyze raw_job")
            await database.shutdown()
            let clients = 4
            let transactions = jobs / 500 / clients
            let clock = ContinuousClock()
            let start = clock.now
            try await world.pgbench(name).transactions(script: self.rawClaim, clients: clients, each: transactions)
            return Double(jobs) / (clock.now - start).inSeconds
        }
    }

    /// Target K, whole: sending, claiming, running alone and completing one job.
    static func cost(_ world: World) async throws {
        let jobs = 5000
        try await BenchBus.with(world, "bench_cost") { bench in
            let before = try await ServerCounters.read(world, database: "bench_cost")
            let countdown = Countdown(jobs)
            try await bench.working([.transactional(NoOp.self) { _, _, _ in countdown.count() }]) {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for client in 0..<8 {
                        group.addTask {
                            for number in 0..<(jobs / 8) {
                                try await bench.bus.send(NoOp(id: Int64(client * jobs + number)))
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                await countdown.reachesZero()
            }
            let cost = try await ServerCounters.read(world, database: "bench_cost") - before
            let conditions = world.conditions.with(["jobs": "\(jobs)", "handler": "transactional, one at a time"])
            try world.report.add(
                Figure(
                    "K", "commits per job, sent and run one by one", Double(cost.commits) / Double(jobs), "commits",
                    conditions: conditions))
            try world.report.add(
                Figure(
                    "K", "WAL per job, sent and run one by one", Double(cost.walBytes) / Double(jobs), "B",
                    goal: .value(atMost: 1229), conditions: conditions))
        }
    }
}

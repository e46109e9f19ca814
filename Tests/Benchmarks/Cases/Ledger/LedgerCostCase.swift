import EmbeddedPostgres
import Postgres

/// What one operation costs the server: write-ahead log, bytes in the tables, commits, statements; all of them counted.
struct LedgerCostCase: Sendable {
    let world: World
    let sizes: LedgerOptions

    private static let database = "bench_ledger_cost"
    private static let members = 1000
    private static let jobs = 10_000

    private var books: LedgerBooks { LedgerBooks(world: self.world, sizes: self.sizes) }
    private var pgbench: PgBench { self.world.pgbench(Self.database) }

    func run() async throws {
        try await self.countStatements()
        try await self.world.owner.execute("drop database if exists \(identifier: Self.database) with (force)")
        try await self.world.owner.execute("create database \(identifier: Self.database)")
        let owner = self.books.owner(of: Self.database)
        try await self.books.migrate(owner)
        for statement in LedgerHistory(members: Self.members, regulars: 1, each: 0).statements {
            try await owner.execute(statement)
        }
        for statement in LedgerHistory.settled { try await owner.execute(statement) }
        try await owner.execute("create extension pg_stat_statements")

        for load in [Load.earn, .spend] {
            try await self.measure(owner, "\(load.name), one by one", operations: 2000) {
                try await self.pgbench.transactions(of: load, each: 2000, variables: ["members": Self.members])
            }
        }
        for load in [Load.earnBatch, .mixedBatch] {
            try await self.measure(owner, "\(load.name), 500 in a call", operations: 20 * Load.batchSize) {
                try await self.pgbench.transactions(of: load, each: 20, variables: ["members": Self.members])
            }
        }
        try await LedgerService.with(self.books, database: Self.database, members: Self.members) { service in
            let receipts = try service.receipts(Self.jobs)
            try await self.measure(owner, "receipt through the bus, sent and posted", operations: Self.jobs) {
                _ = try await service.burn(receipts)
            }
        }
        await owner.shutdown()
        try await self.world.owner.execute("drop database if exists \(identifier: Self.database) with (force)")
    }

    /// Starts the server anew with the extension that counts statements.
    private func countStatements() async throws {
        try await self.world.owner.execute("alter system set shared_preload_libraries = 'pg_stat_statements'")
        try await self.world.cluster.stop(.fast)
        try await self.world.cluster.restart()
        // The pool's connections are gone with the server; each is found out by one use.
        for _ in 0..<5 where (try? await self.world.owner.execute("select")) != nil { return }
        try await self.world.owner.execute("select")
    }

    private struct Counts: RowDecodable {
        let wal: Int64
        let ledger: Int64
        let queue: Int64
        let commits: Int64
        let statements: Int64

        init(row: Row) throws {
            self.wal = try row.value("wal")
            self.ledger = try row.value("ledger")
            self.queue = try row.value("queue")
            self.commits = try row.value("commits")
            self.statements = try row.value("statements")
        }
    }

    private func counts(_ owner: Database) async throws -> Counts {
        // Backends report their counts at the latest a second after their last transaction.
        try await owner.execute("select pg_sleep(\(ServerCounters.pause))")
        return try await owner.one(
            """
            select (pg_current_wal_insert_lsn() - '0/0')::bigint as wal,
                (select sum(pg_total_relation_size(oid))::bigint from pg_class
                 where relnamespace = 'ledger'::regnamespace and relkind = 'r') as ledger,
                (select sum(pg_total_relation_size(oid))::bigint from pg_class
                 where relnamespace = 'queue'::regnamespace and relkind = 'r') as queue,
                (select xact_commit from pg_stat_database where datname = current_database()) as commits,
                (select sum(calls)::bigint from pg_stat_statements as s join pg_database as d on d.oid = s.dbid
                 where d.datname = current_database() and s.toplevel) as statements
            """, as: Counts.self)
    }

    private func measure(
        _ owner: Database, _ name: String, operations: Int, _ work: () async throws -> Void
    ) async throws {
        let before = try await self.counts(owner)
        try await work()
        let after = try await self.counts(owner)
        let conditions = self.world.conditions.with(["operations": "\(operations)", "members": "\(Self.members)"])
        let costs: [(String, Int64, String)] = [
            ("write-ahead log", after.wal - before.wal, "B"),
            ("in the ledger's tables and indexes", after.ledger - before.ledger, "B"),
            ("in the queue's tables and indexes", after.queue - before.queue, "B"),
            ("commits", after.commits - before.commits, ""), ("statements", after.statements - before.statements, ""),
        ]
        for (what, amount, unit) in costs {
            try self.world.report.add(
                Figure(
                    "cost", "\(name): \(what)", Double(amount) / Double(operations), unit, conditions: conditions))
        }
    }
}

extension PgBench {
    /// Lets one client run a load's only script so many times.
    func transactions(of load: Load, each: Int, variables: [String: Int]) async throws {
        guard let script = load.scripts.first?.text else { return }
        _ = try await self.run(
            script: script, clients: 1,
            ["-t", "\(each)"] + variables.sorted { $0.key < $1.key }.flatMap { ["-D", "\($0.key)=\($0.value)"] })
    }
}

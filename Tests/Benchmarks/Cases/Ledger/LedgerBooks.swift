import EmbeddedPostgres
import JobQueue
import Kernel
import Ledger
import Postgres

/// Ledgers to be measured: made and filled by SQL, kept for the cases that follow.
struct LedgerBooks: Sendable {
    let world: World
    let sizes: LedgerOptions

    /// The database of a ledger with so many postings; made when it is not there yet, else brought to this program's state.
    func database(postings: Int) async throws -> String {
        let name = "bench_ledger_\(self.sizes.population)_\(postings)"
        if try await self.world.owner.first("select from pg_database where datname = \(name)") != nil {
            let owner = self.owner(of: name)
            try await self.migrate(owner)
            await owner.shutdown()
            return name
        }
        self.world.report.progress("filling \(name): \(self.sizes.population) members, \(postings) postings …")
        // It has its name when it is whole: what was broken off is made anew.
        let draft = name + "_draft"
        try await self.world.owner.execute("drop database if exists \(identifier: draft) with (force)")
        try await self.world.owner.execute("create database \(identifier: draft)")
        try await self.fill(draft, postings: postings)
        while try await self.world.owner.first("select from pg_stat_activity where datname = \(draft)") != nil {
            try await Task.sleep(for: .milliseconds(20))
        }
        try await self.world.owner.execute("alter database \(identifier: draft) rename to \(identifier: name)")
        return name
    }

    /// pgbench's own tables at scale 10.
    func tpcb() async throws -> PgBench {
        let name = "bench_tpcb"
        if try await self.world.owner.first("select from pg_database where datname = \(name)") == nil {
            try await self.world.owner.execute("create database \(identifier: name)")
            try await self.world.pgbench(name).initialise(scale: 10)
        }
        return self.world.pgbench(name)
    }

    /// The owner of a database, with statements that may take long.
    func owner(of name: String) -> Database {
        Database(
            DatabaseConfiguration(
                conninfo: self.world.cluster.conninfo(database: name), applicationName: "bench",
                pool: PoolLimits(size: 2), statementTimeout: .seconds(7200)),
            reactor: self.world.reactor, logger: self.world.logger)
    }

    /// The queue's and the ledger's schema.
    func migrate(_ owner: Database) async throws {
        _ = try await Migrator(reactor: self.world.reactor, logger: self.world.logger)
            .migrate([JobQueueMigrations.set, LedgerModule.migrations], on: owner.configuration)
    }

    private func fill(_ name: String, postings: Int) async throws {
        let owner = self.owner(of: name)
        try await self.migrate(owner)
        let members = self.sizes.population
        // Those who have a past: about twenty postings each where there are enough members.
        let regulars = min(members, max(1, postings / 20))
        try await owner.withConnection { session in
            try await session.execute("set synchronous_commit = off")
            try await session.execute("set maintenance_work_mem = '512MB'")
            for statement in LedgerHistory(members: members, regulars: regulars, each: postings / regulars).statements {
                try await session.execute(statement)
            }
            // Both where it can matter: sizes of tables and what is known about them.
            for table in ["member", "lot", "receipt", "transaction", "posting"] {
                try await session.execute("vacuum (analyze, freeze) ledger.\(identifier: table)")
            }
            try await session.execute("checkpoint")
        }
        if postings <= 1_000_000, members <= 100_000 {
            let findings = try await VerifyLedger(database: owner, clock: SystemClock())()
            guard findings.isEmpty else { throw Victim.Failed(description: "the filled ledger is wrong: \(findings)") }
        }
        for statement in LedgerHistory.settled { try await owner.execute(statement) }
        await owner.shutdown()
    }
}

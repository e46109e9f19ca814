import EmbeddedPostgres
import FoundationEssentials
import JobQueue
import Kernel
import Logging
import Postgres

/// What the cases of one run share: a private cluster with durable settings, thrown away afterwards.
struct World: Sendable {
    let cluster: EmbeddedPostgres
    let reactor: Reactor
    let owner: Database
    let rounds: Int
    let seconds: Int
    let report: Report
    let logger: Logger

    var conditions: Conditions {
        Conditions(
            server: "PostgreSQL \(self.cluster.installation.version), fsync on\(Self.flush)",
            cores: ProcessInfo.processInfo.activeProcessorCount,
            rounds: self.rounds, seconds: self.seconds, build: Self.build)
    }

    /// How much longer the disk was made to take for a flush (Disk/include/SlowFlush.h).
    private static var flush: String {
        ProcessInfo.processInfo.environment["CLUB_BENCH_FLUSH_US"].map { ", each flush \($0) µs longer" } ?? ""
    }

    private static var build: String {
        #if DEBUG
            "debug"
        #else
            "release"
        #endif
    }

    func pgbench(_ database: String = EmbeddedPostgres.database) -> PgBench {
        PgBench(
            binaries: self.cluster.installation.binaries, conninfo: self.cluster.conninfo(database: database))
    }

    /// A pool of its own, as the owner of the cluster.
    func database(_ name: String = EmbeddedPostgres.database, pool size: Int, application: String = "bench") -> Database
    {
        Database(
            DatabaseConfiguration(
                conninfo: self.cluster.conninfo(database: name), applicationName: application,
                pool: PoolLimits(size: size, waiting: 100_000, waitTimeout: .seconds(60)),
                statementTimeout: .seconds(60)),
            reactor: self.reactor, logger: self.logger)
    }

    /// Runs `body` with a fresh database that is dropped afterwards.
    func withFreshDatabase<R>(_ name: String, _ body: (String) async throws -> R) async throws -> R {
        try await self.owner.execute("drop database if exists \(identifier: name) with (force)")
        try await self.owner.execute("create database \(identifier: name)")
        let result = try await body(name)
        try await self.owner.execute("drop database if exists \(identifier: name) with (force)")
        return result
    }

    /// - Parameter keep: the folder of a server that stays; nil for one that is thrown away.
    static func with(
        rounds: Int, seconds: Int, report: Report, keep: String? = nil, _ body: (World) async throws -> Void
    ) async throws {
        var logger = Logger(label: "benchmarks") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .error
        let folder = keep ?? "/tmp/club-bench-\(UUID().uuidString.prefix(8).lowercased())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        report.progress("starting a private PostgreSQL …")
        let cluster = try await EmbeddedPostgres.start(
            in: folder, profile: .durable, authentication: .trust, logger: logger)
        if keep == nil { try await cluster.removeWhenThisProcessEnds() }
        let reactor = try Reactor()
        let owner = Database(
            DatabaseConfiguration(conninfo: cluster.conninfo, applicationName: "bench", pool: PoolLimits(size: 4)),
            reactor: reactor, logger: logger)
        let world = World(
            cluster: cluster, reactor: reactor, owner: owner, rounds: rounds, seconds: seconds, report: report,
            logger: logger)
        do {
            try await body(world)
        } catch {
            report.progress("failed: \(error)")
            await owner.shutdown()
            if keep != nil { try await cluster.stop() }
            throw error
        }
        await owner.shutdown()
        if keep != nil { try await cluster.stop() }
    }
}

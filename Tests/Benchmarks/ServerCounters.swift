import Postgres

/// What a stretch of work cost the server: commits, and bytes of write-ahead log.
struct ServerCounters: Sendable {
    var commits: Int64
    var walBytes: Int64

    /// How long a reading waits for what others have not reported yet.
    static let pause = 1.2

    static func read(_ world: World, database name: String) async throws -> ServerCounters {
        let database = world.database(pool: 1)
        // Backends report their counts at the latest a second after their last transaction.
        try await database.execute("select pg_sleep(\(Self.pause))")
        let row = try await database.one(
            """
            select s.xact_commit, (pg_current_wal_insert_lsn() - '0/0')::bigint
            from pg_stat_database s
            where s.datname = \(name)
            """)
        await database.shutdown()
        let (commits, wal) = try row.decode(Int64.self, Int64.self)
        return ServerCounters(commits: commits, walBytes: wal)
    }

    static func - (after: ServerCounters, before: ServerCounters) -> ServerCounters {
        ServerCounters(commits: after.commits - before.commits, walBytes: after.walBytes - before.walBytes)
    }
}

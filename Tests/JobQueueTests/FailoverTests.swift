import EmbeddedPostgres
import JobQueue
import Kernel
import Postgres
import TestSupport
import Testing

/// The way to the server breaks, and the connection string has another one.
@Suite(
    .database(JobQueueMigrations.set), .capturedLogs,
    .enabled(if: PgBouncer.isInstalled, "the package pgbouncer is not installed"))
struct FailoverTests {
    @Test func `listening, registration and claims go on over the next host by themselves`() async throws {
        let direct = try await World.make()
        let test = try TestDatabase.current
        let server = try #require(test.cluster.server)
        try await PgBouncer.run(.session, before: server, roles: ["club_alpha", "club_beta"]) { first in
            let world = World(reactor: direct.reactor, owner: direct.owner) { service, pool in
                var configuration = test.configuration(for: service, pool: pool)
                configuration.conninfo +=
                    " host=\(first.folder),\(server.socketFolder) port=\(first.port),\(server.port)"
                return configuration
            }
            let alpha = world.bus("alpha")
            let beta = world.bus("beta")
            let done = Signal<Int>()
            try await alpha.running(
                handlers: [
                    .transactional(Work.self) { work, _, transaction in
                        transaction.afterCommit { done.send(work.number) }
                    }
                ]
            ) {
                try await beta.running {
                    _ = try await beta.send(Work(number: 1))
                    #expect(try await done.next() == 1)
                    let number = try await world.count("select id::bigint from queue.worker where service = 'alpha'")
                    try await eventually("alpha listens") { alpha.listener.isConnected }
                    try first.cut()
                    try await eventually("alpha has noticed") { !alpha.listener.isConnected }
                    try await eventually("alpha listens again") { alpha.listener.isConnected }
                    _ = try await eventually("the command can be sent") { try? await beta.send(Work(number: 2)) }
                    #expect(try await done.next() == 2)
                    // The same process under the same number, with its lock.
                    try await eventually("alpha holds its lock") {
                        try await world.count(
                            """
                            select count(*) from pg_locks
                            where locktype = 'advisory' and classid = queue.liveness_class() and objid::bigint = \(Int64(number))
                                and granted and database = (select oid from pg_database where datname = current_database())
                            """) == 1
                    }
                }
            }
            #expect(try await world.violations() == [])
        }
    }
}

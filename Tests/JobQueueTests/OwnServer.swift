import EmbeddedPostgres
import FoundationEssentials
import JobQueue
import Kernel
import Postgres
import TestSupport

/// A server that belongs to one test alone: to count what it does, or to crash it.
func withOwnServer(
    _ profile: ClusterProfile = .volatile, _ body: (World, EmbeddedPostgres) async throws -> Void
) async throws {
    let folder = "/tmp/club-queue-test-\(UUID().uuidString.lowercased().prefix(8))"
    let server = try await EmbeddedPostgres.start(
        in: folder, profile: profile, authentication: .trust, logger: CapturedLogs.logger)
    let reactor = try await TestCluster.shared.reactor
    let limits = PoolLimits(size: 4)
    let configuration = { @Sendable (service: ServiceName?, pool: PoolLimits) in
        DatabaseConfiguration(
            conninfo: server.conninfo, user: service?.role, applicationName: "queue-tests", pool: pool,
            // On a busy machine what fills a table takes long.
            statementTimeout: .seconds(60))
    }
    let owner = Database(configuration(nil, limits), reactor: reactor, logger: CapturedLogs.logger)
    let result: Result<Void, any Error>
    do {
        try await Migrator(reactor: reactor, logger: CapturedLogs.logger)
            .migrate([JobQueueMigrations.set], on: configuration(nil, limits))
        let world = World(reactor: reactor, owner: owner, configuration: configuration)
        try await world.prepare()
        result = .success(try await body(world, server))
    } catch {
        result = .failure(error)
    }
    await owner.shutdown()
    try await server.remove()
    try result.get()
}

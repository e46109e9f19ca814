import EmbeddedPostgres
import Kernel
import Logging
import Postgres

/// An operator's connection to a running system's database: as the owner, who may see and do everything.
struct OperatorSession: Sendable {
    let folder: SystemFolder
    let state: SystemState
    let database: Database
    let reactor: Reactor
    let logger: Logger

    /// Opens a session with the system that the environment names, else with what runs in the folder, and closes it
    /// afterwards.
    /// - Throws: ``CommandFailure`` (69) when nothing runs there.
    static func run<R>(
        in folder: SystemFolder, _ body: (OperatorSession) async throws -> R
    ) async throws -> R {
        if let remote = try RemoteSystem() {
            let state = try remote.state()
            return try await Self.withDatabase(remote.configuration) { database, reactor, logger in
                try await body(
                    OperatorSession(folder: folder, state: state, database: database, reactor: reactor, logger: logger))
            }
        }
        let state = try folder.requireRunning()
        guard let postgres = try await EmbeddedPostgres.running(in: folder.path) else {
            throw CommandFailure(
                .unavailable, "The database of \(folder.path) does not run: `club down`, then `club up`.")
        }
        return try await Self.withDatabase(Self.configuration(of: postgres)) { database, reactor, logger in
            try await body(
                OperatorSession(folder: folder, state: state, database: database, reactor: reactor, logger: logger))
        }
    }

    /// A pool of the owner's connections, for as long as the body runs.
    static func withDatabase<R>(
        _ configuration: DatabaseConfiguration, _ body: (Database, Reactor, Logger) async throws -> R
    ) async throws -> R {
        let logger = Logger(label: "club", factory: { _ in SwiftLogNoOpLogHandler() })
        let reactor = try Reactor()
        let database = Database(configuration, reactor: reactor, logger: logger)
        let result: Result<R, any Error>
        do {
            result = .success(try await body(database, reactor, logger))
        } catch {
            result = .failure(error)
        }
        await database.shutdown()
        return try result.get()
    }

    /// A person waits, and some reports read much: more patience than a service has.
    static func configuration(of postgres: EmbeddedPostgres) -> DatabaseConfiguration {
        DatabaseConfiguration(
            conninfo: postgres.conninfo, applicationName: "club", pool: PoolLimits(size: 4),
            statementTimeout: .seconds(600))
    }
}

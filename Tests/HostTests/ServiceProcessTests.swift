import EmbeddedPostgres
import FoundationEssentials
import Glibc
import JobQueue
import Kernel
import Ledger
import Logging
import Postgres
import TestSupport
import Testing

/// What an operator meets: the executable itself, with its exit codes and sentences.
@Suite(.timeLimit(.minutes(20))) struct ServiceProcessTests {
    /// What a ledger cannot do without.
    private static let secrets = ["CLUB_LEDGER_SEAL_KEY": String(repeating: "k", count: 32)]

    @Test(arguments: [
        (["CLUB_PORT": "eighty"], #"club-ledger: CLUB_PORT must be a whole number from 0 to 65000, not "eighty"."#),
        (["CLUB_PORTS": "8080"], "club-ledger: CLUB_PORTS is not a setting; did you mean CLUB_PORT?"),
        (
            ["CLUB_LEDGER_DATABASE_PASSWORD_FILE": "/nowhere"],
            "club-ledger: CLUB_LEDGER_DATABASE_PASSWORD_FILE names /nowhere, which cannot be read as text."
        ),
    ])
    func `a wrong setting ends the process with code 78 and one sentence`(
        environment: [String: String], sentence: String
    ) async throws {
        let all = environment.merging(Self.secrets) { $1 }
        let end = try await ServiceProcess.run("club-ledger", environment: all) { process in
            try await process.wrote("club-ledger: ")
        }
        #expect(end.exitCode == 78)
        #expect(end.errors == sentence + "\n")
    }

    @Test func `arguments are refused with code 64, for settings are environment variables`() async throws {
        let end = try await ServiceProcess.run("club-ledger", arguments: ["--port", "80"]) { process in
            try await process.wrote("club-ledger ")
        }
        #expect(end.exitCode == 64)
    }

    @Test func `a service waits for its server, begins, notices its loss, comes back, and stops cleanly`() async throws
    {
        let cluster = try await TestServer.make()
        try await cluster.stop()
        let environment = ["CLUB_DATABASE": cluster.address, "CLUB_PORT": "0"].merging(Self.secrets) { $1 }
        let end = try await ServiceProcess.run("club-ledger", environment: environment) { process in
            let client = try await process.client()
            try await process.wrote("Waiting for the database")
            #expect(try await client.get("/health/live").status == 200)
            #expect(try await client.get("/health/ready").status == 503)

            try await cluster.restart()
            try await process.wrote("The database does not know the service's role or password")
            try await TestServer.migrate(cluster)
            try await eventually("ready") { try await client.get("/health/ready").status == 200 }

            try await cluster.stop(.immediate)
            try await eventually("no longer ready") { try await client.get("/health/ready").status == 503 }
            try await cluster.restart()
            try await eventually("ready again") { try await client.get("/health/ready").status == 200 }
            try process.signal(SIGTERM)
            try await process.wrote(#""message":"Stopped""#)
        }
        #expect(end.exitCode == 0)
        #expect(!end.errors.contains(#""level":"error""#))
        try await cluster.remove()
    }

    @Test func `the health check says whether the service is ready, and needs to know where`() async throws {
        let cluster = try await TestServer.make()
        let port = try FreePort.next()
        let environment = ["CLUB_DATABASE": cluster.address, "CLUB_PORT": "\(port)", "CLUB_BIND": "0.0.0.0"]
            .merging(Self.secrets) { $1 }
        @Sendable func health(_ changes: [String: String] = [:]) async throws -> ClubShell.Result {
            try await ClubShell(data: "/nowhere", settings: environment.merging(changes) { $1 })
                .run("\(ClubShell.programs)/club-ledger", ["--health"])
        }
        #expect(try await health().code == 1)
        let end = try await ServiceProcess.run("club-ledger", environment: environment) { process in
            try await process.wrote("The database does not know the service's role or password")
            #expect(try await health().code == 1)
            try await TestServer.migrate(cluster)
            try await eventually("ready") { try await health().code == 0 }
        }
        #expect(end.exitCode == 0)
        #expect(try await health().code == 1)
        let unknown = try await health(["CLUB_PORT": "0"])
        #expect(unknown.code == 78)
        #expect(unknown.errors == "club-ledger: CLUB_PORT is 0, so nobody knows which port to ask.\n")
        try await cluster.remove()
    }

    @Test func `settings are logged at the start, without secrets`() async throws {
        let end = try await ServiceProcess.run(
            "club-ledger",
            environment: [
                "CLUB_DATABASE": "host=127.0.0.1 port=1 password=hunter2", "CLUB_PORT": "0",
                "CLUB_LEDGER_DATABASE_PASSWORD": "hunter3",
                "CLUB_LEDGER_SEAL_KEY": "hunter4 hunter4 hunter4 hunter4 hunter4",
            ]
        ) { process in
            try await process.wrote("Waiting for the database")
        }
        #expect(end.exitCode == 0)
        #expect(end.errors.contains(#""CLUB_DATABASE":"host=127.0.0.1 port=1 password=***""#))
        #expect(end.errors.contains(#""CLUB_LEDGER_DATABASE_PASSWORD":"***""#))
        #expect(!end.errors.contains("hunter"))
    }
}

/// A PostgreSQL server that a test may stop and start.
private enum TestServer {
    static func make() async throws -> EmbeddedPostgres {
        let server = try await EmbeddedPostgres.start(
            in: "/tmp/club-test-\(UUID().uuidString.prefix(8))", profile: .volatile, authentication: .trust,
            logger: CapturedLogs.logger)
        try await server.removeWhenThisProcessEnds(with: [server.folder])
        return server
    }

    static func migrate(_ server: EmbeddedPostgres) async throws {
        let reactor = try await TestCluster.shared.reactor
        try await Migrator(reactor: reactor, logger: CapturedLogs.logger).migrate(
            [JobQueueMigrations.set, LedgerModule.migrations], on: DatabaseConfiguration(conninfo: server.conninfo))
    }
}

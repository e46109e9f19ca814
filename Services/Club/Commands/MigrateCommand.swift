import ArgumentParser
import EmbeddedPostgres
import Kernel
import Logging
import Postgres

/// `club migrate`
struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Bring the database's schemas and roles to this program's state.",
        discussion: """
            Works on the system's own PostgreSQL, which is started for as long as it takes when it does not run, or on \
            the database that --database or CLUB_OPERATOR_DATABASE names. The roles of the services get the passwords in \
            the folder's secrets/. `club up` does the same at every start.
            """)

    @OptionGroup var system: SystemOptions
    @OptionGroup var output: OutputOptions
    @Option(help: ArgumentHelp("Another database, as its owner: a URL or keywords of libpq.", valueName: "conninfo"))
    var database: String?
    @Flag(help: "Only say what would be done.")
    var status = false

    /// A migration, for people and programs.
    private struct Line: Encodable {
        let service: String
        let migration: String
        let state: String
    }

    func run() async throws {
        let folder = self.system.folder
        try folder.prepare()
        if let database {
            try await self.migrate(DatabaseConfiguration(conninfo: database, applicationName: "club migrate"), folder)
            return
        }
        if let remote = try RemoteSystem() {
            try await self.migrate(remote.configuration, folder)
            return
        }
        let logger = Logger(label: "club", factory: { _ in SwiftLogNoOpLogHandler() })
        let running = try await EmbeddedPostgres.running(in: folder.path)
        let postgres = try await EmbeddedPostgres.start(in: folder.path, logger: logger)
        let result: Result<Void, any Error>
        do {
            result = .success(try await self.migrate(OperatorSession.configuration(of: postgres), folder))
        } catch {
            result = .failure(error)
        }
        if running == nil { try await postgres.stop() }
        try result.get()
    }

    private func migrate(_ owner: DatabaseConfiguration, _ folder: SystemFolder) async throws {
        let logger = Logger(label: "club", factory: { _ in SwiftLogNoOpLogHandler() })
        let reactor = try Reactor()
        let lines: [Line]
        if self.status {
            lines = try await Migrator(reactor: reactor, logger: logger)
                .status(SystemSetup.migrations, on: owner).map(Self.line)
        } else {
            let setup = SystemSetup(secrets: SystemSecrets(folder), reactor: reactor, logger: logger)
            lines = try await setup(owner).map { Self.line($0, "applied now") }
        }
        if lines.isEmpty && !self.output.json {
            Output.note("Nothing to do: the database is as it should be.")
        } else {
            try self.output.output.result(
                lines,
                Table(
                    [.text("SERVICE"), .text("MIGRATION"), .text("STATE")],
                    rows: lines.map { [$0.service, $0.migration, $0.state] }))
        }
    }

    private static func line(_ status: MigrationStatus) -> Line {
        switch status.state {
        case .applied(let moment): Self.line(status.migration, "applied \(moment)")
        case .pending: Self.line(status.migration, "pending")
        case .changed(let moment): Self.line(status.migration, "changed since \(moment)")
        case .unknown(let moment): Self.line(status.migration, "unknown to this program, applied \(moment)")
        }
    }

    private static func line(_ migration: AppliedMigration, _ state: String) -> Line {
        Line(service: migration.service.text, migration: migration.name, state: state)
    }
}

internal import Crypto
public import EmbeddedPostgres
internal import FoundationEssentials
internal import Kernel
internal import Logging
public import Postgres

/// The PostgreSQL server of this test process.
///
/// Either the one that `CLUB_TEST_POSTGRES` names (a connection string of a superuser; every role must be let in without a
/// password), or one of our own that is made in /tmp, flushes nothing, and ends with this process however that ends.
/// `CLUB_TEST_POSTGRES_BIN`, else `CLUB_POSTGRES_BIN`, says which PostgreSQL.
public actor TestCluster {
    /// How many databases exist at a time: tests run all at once, and a server has only so many connections.
    static let databaseGate = Gate(width: 8)

    private static let started = Task { try await TestCluster() }

    /// The one of this process; started when it is first asked for.
    public static var shared: TestCluster {
        get async throws { try await Self.started.value }
    }

    /// The reactor of all tests.
    public nonisolated let reactor: Reactor
    /// A superuser's connection string, with the database `postgres`.
    public nonisolated let conninfo: String
    /// The server; nil when it is somebody else's.
    public nonisolated let server: EmbeddedPostgres?
    private let maintenance: Database
    private var templates: [String: Task<String, any Error>] = [:]
    private var lastNumber = 0

    private init() async throws {
        let environment = ProcessInfo.processInfo.environment
        if let given = environment["CLUB_TEST_POSTGRES"], !given.isEmpty {
            self.conninfo = given
            self.server = nil
        } else {
            let server = try await Self.startServer(environment)
            self.conninfo = server.conninfo(database: "postgres")
            self.server = server
        }
        self.reactor = try Reactor()
        self.maintenance = Database(
            Self.configuration(self.conninfo, pool: PoolLimits(size: 3, waitTimeout: .seconds(120))),
            reactor: self.reactor, logger: Self.silent)
    }

    static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// A new database with the migrations applied: a copy of a template that is made once.
    func makeDatabase(_ migrations: [MigrationSet]) async throws -> String {
        let template = try await self.template(migrations)
        self.lastNumber += 1
        let name = "test_\(ProcessInfo.processInfo.processIdentifier)_\(self.lastNumber)"
        try await self.maintenance.execute("create database \(identifier: name) template \(identifier: template)")
        return name
    }

    func dropDatabase(_ name: String) async throws {
        try await self.maintenance.execute("drop database if exists \(identifier: name) with (force)")
    }

    /// The configuration of a superuser, or of a role that is let in without a password, for a database of the cluster.
    nonisolated func configuration(database: String, user: String?, pool: PoolLimits) -> DatabaseConfiguration {
        // Of two equal keywords libpq takes the last; a connection string of keywords is what both ways give.
        var configuration = Self.configuration("\(self.conninfo) dbname='\(database)'", pool: pool)
        configuration.user = user
        return configuration
    }

    // MARK: Templates

    private func template(_ migrations: [MigrationSet]) async throws -> String {
        let name = "club_template_\(Self.fingerprint(of: migrations))"
        if let known = self.templates[name] { return try await known.value }
        // A task, so that tests that come meanwhile wait for the same one.
        let task = Task { try await self.makeTemplate(name, migrations) }
        self.templates[name] = task
        return try await task.value
    }

    /// Made under another name and renamed when whole. One at a time across all processes: migrations make roles, which
    /// belong to the whole cluster.
    private func makeTemplate(_ name: String, _ migrations: [MigrationSet]) async throws -> String {
        try await self.maintenance.withConnection { connection in
            try await connection.execute("select pg_advisory_lock(hashtext('club test template'))")
            let exists = try await connection.one(
                "select exists (select from pg_database where datname = \(name))"
            ).decode(Bool.self)
            if !exists {
                let draft = "\(name)_draft"
                try await connection.execute("drop database if exists \(identifier: draft) with (force)")
                try await connection.execute("create database \(identifier: draft) template template0 encoding 'UTF8'")
                let owner = self.configuration(database: draft, user: nil, pool: PoolLimits(size: 1))
                try await Migrator(reactor: self.reactor, logger: Self.silent).migrate(migrations, on: owner)
                try await connection.execute("alter database \(identifier: draft) rename to \(identifier: name)")
            }
            try await connection.execute("select pg_advisory_unlock(hashtext('club test template'))")
        }
        return name
    }

    /// Of the files' names and contents, so that a changed migration makes a new template.
    private static func fingerprint(of migrations: [MigrationSet]) -> String {
        var hash = SHA256()
        for set in migrations {
            hash.update(data: Array("\(set.service.text)\n".utf8))
            for folder in [set.directory, "\(set.directory)/../Functions"] {
                let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
                for file in files.sorted() {
                    hash.update(data: Array("\(file)\n".utf8))
                    hash.update(data: FileManager.default.contents(atPath: "\(folder)/\(file)") ?? Data())
                }
            }
        }
        return hash.finalize().prefix(8).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    // MARK: Start

    private static func startServer(_ environment: [String: String]) async throws -> EmbeddedPostgres {
        var environment = environment
        if let binaries = environment["CLUB_TEST_POSTGRES_BIN"] { environment["CLUB_POSTGRES_BIN"] = binaries }
        let folder = "/tmp/club-test-\(ProcessInfo.processInfo.processIdentifier)"
        let server = try await EmbeddedPostgres.start(
            in: folder, profile: .volatile, authentication: .trust,
            installation: try await PostgresInstallation.find(environment: environment), logger: Self.silent)
        try await server.removeWhenThisProcessEnds(with: [folder])
        return server
    }

    private static func configuration(_ conninfo: String, pool: PoolLimits) -> DatabaseConfiguration {
        DatabaseConfiguration(
            conninfo: conninfo, applicationName: "club-tests", pool: pool, statementTimeout: .seconds(60),
            lockTimeout: .seconds(60), idleInTransactionTimeout: .seconds(60), connectTimeout: .seconds(30))
    }
}

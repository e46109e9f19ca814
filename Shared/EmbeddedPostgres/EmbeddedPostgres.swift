internal import FoundationEssentials
public import Logging

/// A PostgreSQL server of our own: its files in a folder of ours, open to this machine only.
///
/// The server is a process by itself (started by `pg_ctl`), so it outlives the process that started it; whoever starts it
/// again in the same folder finds the running one. What is remembered is in `postgres/cluster.json` below the folder.
public struct EmbeddedPostgres: Sendable {
    /// How a server is told to stop.
    public enum StopMode: String, Sendable {
        /// Ends the sessions and writes everything down.
        case fast
        /// At once, as in a crash; the next start recovers.
        case immediate
    }

    /// The role that owns the cluster: a superuser.
    public static let owner = "club_owner"
    /// The database that is made with the cluster.
    public static let database = "club"

    /// The folder that was given to ``start(in:profile:authentication:installation:logger:)``.
    public let folder: String
    /// The PostgreSQL that runs here.
    public let installation: PostgresInstallation
    let state: ClusterState
    let account: ServerAccount?
    private let password: String?

    /// The TCP port, on 127.0.0.1; also part of the socket's name.
    public var port: Int { self.state.port }
    /// The folder with the Unix socket, which is the faster way in.
    public var socketFolder: String { self.state.socketFolder }
    /// The folder with the server's files, for tools such as `pg_ctl`.
    public var dataFolder: String { self.state.data }
    /// The server's own log.
    public var logFile: String { self.state.log }

    /// A libpq connection string for the owner, through the socket, with the password if there is one: keep it secret.
    public var conninfo: String { self.conninfo(database: Self.database) }

    /// The same for another database of the cluster.
    public func conninfo(database: String) -> String {
        var parts = [("host", self.socketFolder), ("port", "\(self.port)"), ("dbname", database), ("user", Self.owner)]
        if let password { parts.append(("password", password)) }
        return parts.map { "\($0.0)=\(Self.quoted($0.1))" }.joined(separator: " ")
    }

    /// A connection string without user and password, for clients that bring their own.
    public var address: String {
        "host=\(Self.quoted(self.socketFolder)) port=\(self.port) dbname=\(Self.database)"
    }

    /// Starts the cluster of a folder, and makes it first when there is none.
    ///
    /// A server that already runs there is used as it is; one that crashed is recovered. As root, the server runs as
    /// `postgres` or `nobody`, which must be able to enter the folder: the folder itself is opened for passing through
    /// (mode o+x), and when a folder above it is closed, the data go to a folder in /var/tmp that is logged.
    /// - Parameters:
    ///   - folder: the club's data folder; made when missing.
    ///   - profile: durability; may differ from start to start.
    ///   - authentication: only for a cluster that is made now.
    ///   - installation: the PostgreSQL to use; nil finds one that fits the data.
    /// - Throws: ``EmbeddedPostgresError``
    public static func start(
        in folder: String, profile: ClusterProfile = .durable, authentication: ClusterAuthentication = .password,
        installation: PostgresInstallation? = nil, logger: Logger
    ) async throws -> EmbeddedPostgres {
        if let running = try await Self.running(in: folder) { return running }
        let place = ClusterPlace(folder: folder, account: try ServerAccount.needed())
        let known = try place.loadState()
        let installation = try await Self.installation(for: known, in: place, given: installation)
        let home = try await place.prepareHome(known: known, logger: logger)
        var state = ClusterState(
            binaries: installation.binaries, major: installation.major, home: home,
            socketFolder: try place.socketFolder(home: home, known: known),
            port: try LoopbackPort.free(preferring: known?.port), profile: profile,
            authentication: known?.authentication ?? authentication)
        if known == nil {
            logger.info("Making a PostgreSQL cluster", metadata: ["folder": "\(state.data)"])
            try await ClusterMaker(installation: installation, place: place, state: state).make()
        }
        try await Self.start(&state, installation, place)
        logger.info(
            "PostgreSQL started",
            metadata: ["version": "\(installation.version)", "port": "\(state.port)", "folder": "\(state.data)"])
        return try Self(place: place, installation: installation, state: state)
    }

    /// A port that was free when we looked may be somebody else's a moment later: then another one is chosen.
    private static func start(
        _ state: inout ClusterState, _ installation: PostgresInstallation, _ place: ClusterPlace
    ) async throws {
        for _ in 0..<3 {
            try place.save(state)
            do {
                return try await ServerProcess(
                    installation: installation, account: place.account, state: state
                ).start()
            } catch let error as EmbeddedPostgresError where error.code == .portTaken {
                state.port = try LoopbackPort.free(preferring: nil)
            }
        }
        try place.save(state)
        try await ServerProcess(installation: installation, account: place.account, state: state).start()
    }

    /// The running server of a folder; nil when there is none.
    public static func running(in folder: String) async throws -> EmbeddedPostgres? {
        let place = ClusterPlace(folder: folder, account: try ServerAccount.needed())
        guard let state = try place.loadState(), ServerProcess.processID(of: state) != nil else { return nil }
        let installation = PostgresInstallation(
            binaries: state.binaries, major: state.major, version: "\(state.major)")
        let server = ServerProcess(installation: installation, account: place.account, state: state)
        // Somebody else may be starting it right now.
        try await server.waitUntilReady()
        return try Self(place: place, installation: installation, state: state)
    }

    /// Whether the server's process is alive.
    public var isRunning: Bool { ServerProcess.processID(of: self.state) != nil }

    /// Stops the server and waits until it is gone; does nothing when it does not run.
    public func stop(_ mode: StopMode = .fast) async throws {
        guard self.isRunning else { return }
        try await self.server.stop(mode)
    }

    /// Starts the stopped server again, with the same port and profile.
    public func restart() async throws {
        guard !self.isRunning else { return }
        try await self.server.start()
    }

    /// Stops the server at once and deletes everything it had.
    public func remove() async throws {
        try await self.stop(.immediate)
        for folder in Set([self.state.home, self.state.socketFolder, ClusterPlace.home(in: self.folder)]) {
            if FileManager.default.fileExists(atPath: folder) {
                try FileManager.default.removeItem(atPath: folder)
            }
        }
    }

    private var server: ServerProcess {
        ServerProcess(installation: self.installation, account: self.account, state: self.state)
    }

    private init(place: ClusterPlace, installation: PostgresInstallation, state: ClusterState) throws {
        self.folder = place.folder
        self.installation = installation
        self.state = state
        self.account = place.account
        self.password = state.authentication == .password ? try place.ownerPassword() : nil
    }

    /// The given installation, the one used last, or one that is found; its major version must be that of the data.
    private static func installation(
        for state: ClusterState?, in place: ClusterPlace, given: PostgresInstallation?
    ) async throws -> PostgresInstallation {
        if let given {
            guard state == nil || state?.major == given.major else {
                throw EmbeddedPostgresError(
                    .wrongVersion,
                    "The data in \(place.folder) are of PostgreSQL \(state?.major ?? 0), but \(given.binaries) has "
                        + "\(given.version).")
            }
            return given
        }
        if let state, let before = await PostgresInstallation.at(state.binaries, account: place.account),
            before.major == state.major
        {
            return before
        }
        return try await PostgresInstallation.find(wheelFolder: place.wheelFolder, major: state?.major)
    }

    /// A value as libpq's connection strings want it.
    private static func quoted(_ value: String) -> String {
        "'" + value.replacing("\\", with: "\\\\").replacing("'", with: "\\'") + "'"
    }
}

public import EmbeddedPostgres
internal import FoundationEssentials
internal import Glibc
internal import Subprocess
internal import SystemPackage

/// A real PgBouncer in front of the tests' server.
public struct PgBouncer: Sendable {
    /// What a client has of the server.
    public enum Mode: String, Sendable {
        /// Each transaction gets whichever session is free.
        case transaction
        /// A session as long as the client is there.
        case session
    }

    /// Where its socket is: the host of a connection string.
    public let folder: String
    /// Its port.
    public var port: Int { Self.port }
    private let kill: @Sendable () throws -> Void

    /// Whether the machine has one (the Debian package `pgbouncer`).
    public static var isInstalled: Bool { Self.program != nil }

    private static var program: String? {
        ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"].first { access($0, X_OK) == 0 }
    }

    /// Runs one until the body returns.
    /// - Parameter roles: who may come in, without a password.
    public static func run<R: Sendable>(
        _ mode: Mode, before server: EmbeddedPostgres, roles: [String],
        _ body: @Sendable (PgBouncer) async throws -> R
    ) async throws -> R {
        guard let program = Self.program else { throw NeverHappened(description: "There is no pgbouncer here") }
        let folder = "/tmp/club-pgbouncer-\(UUID().uuidString.prefix(8).lowercased())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Self.write(mode, before: server, roles: roles, to: folder)
        // It refuses to run as root.
        let prefix =
            geteuid() == 0 ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"] : []
        let words = prefix + [program, "--quiet", "\(folder)/pgbouncer.ini"]
        let result = try await Subprocess.run(
            words[0].hasPrefix("/") ? .path(FilePath(words[0])) : .name(words[0]),
            arguments: Arguments(Array(words.dropFirst())), workingDirectory: "/", input: .none, output: .discarded,
            error: .discarded
        ) { execution in
            defer { try? execution.send(signal: .terminate) }
            let bouncer = PgBouncer(folder: folder, kill: { try execution.send(signal: .kill) })
            try await eventually("PgBouncer listens") {
                Self.isAnswered(at: "\(bouncer.folder)/.s.PGSQL.\(bouncer.port)")
            }
            return try await body(bouncer)
        }
        return result.closureResult
    }

    /// Whether somebody listens: the socket's file is there a moment before.
    private static func isAnswered(at path: String) -> Bool {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }

    /// Kills it, with everything that is under way.
    public func cut() throws {
        try self.kill()
    }

    private static let port = 6432

    private static func write(
        _ mode: Mode, before server: EmbeddedPostgres, roles: [String], to folder: String
    ) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try roles.map { "\"\($0)\" \"\"\n" }.joined().write(
            toFile: "\(folder)/users", atomically: false, encoding: .utf8)
        try """
        [databases]
        * = host=\(server.socketFolder) port=\(server.port)
        [pgbouncer]
        listen_addr =
        listen_port = \(Self.port)
        unix_socket_dir = \(folder)
        auth_type = trust
        auth_file = \(folder)/users
        pool_mode = \(mode.rawValue)
        default_pool_size = \(mode == .transaction ? 2 : 40)
        max_client_conn = 200
        ignore_startup_parameters = options
        logfile =
        pidfile =

        """.write(toFile: "\(folder)/pgbouncer.ini", atomically: false, encoding: .utf8)
        chmod(folder, 0o777)
    }
}

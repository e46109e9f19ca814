internal import Glibc

/// The unprivileged account that a server started by root runs under; PostgreSQL refuses to run as root.
struct ServerAccount: Sendable, Equatable {
    let name: String
    let user: uid_t
    let group: gid_t

    /// Nil when we are not root: the server then runs as ourselves.
    static func needed() throws -> ServerAccount? {
        guard geteuid() == 0 else { return nil }
        guard let account = Self.named("postgres") ?? Self.named("nobody") else {
            throw EmbeddedPostgresError(
                .noAccount,
                "PostgreSQL does not run as root, and this machine has neither a user postgres nor nobody: "
                    + "start the club as an ordinary user.")
        }
        return account
    }

    /// The account of that name, or nil.
    static func named(_ name: String) -> ServerAccount? {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16 * 1024)
        guard getpwnam_r(name, &entry, &buffer, buffer.count, &found) == 0, found != nil, entry.pw_uid != 0 else {
            return nil
        }
        return ServerAccount(name: name, user: entry.pw_uid, group: entry.pw_gid)
    }

    /// Whether the account can enter the folder: asked of the system itself, which knows of access lists and mounts.
    func canEnter(_ folder: String) async throws -> Bool {
        let attempt = Command(program: "/bin/sh", arguments: ["-c", "cd \"$1\"", "sh", folder], account: self)
        return try await attempt.run().succeeded
    }
}

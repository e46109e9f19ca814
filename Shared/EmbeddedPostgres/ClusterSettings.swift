/// How much a cluster cares about surviving a crash of the machine.
public enum ClusterProfile: String, Sendable, Codable {
    /// Every commit is on disk before it is acknowledged.
    case durable
    /// For tests: nothing is flushed, so a crash of the machine loses everything. A crash of the server alone loses
    /// nothing: what is committed has been handed to the system.
    case volatile

    /// What a cluster of this profile is started with.
    var settings: [String] {
        switch self {
        case .durable:
            [
                "max_connections = 200",
                "shared_buffers = '128MB'",
                "max_wal_size = '1GB'",
                "wal_compression = on",
            ]
        case .volatile:
            [
                "max_connections = 500",
                "shared_buffers = '128MB'",
                "fsync = off",
                "full_page_writes = off",
                "wal_level = minimal",
                "max_wal_senders = 0",
                "max_wal_size = '4GB'",
                "checkpoint_timeout = '1h'",
            ]
        }
    }
}

/// Who may connect to a cluster.
public enum ClusterAuthentication: String, Sendable, Codable {
    /// Everybody needs a password (SCRAM-SHA-256); the owner's is made at random.
    case password
    /// Everybody on this machine may connect as anybody. For tests.
    case trust

    var method: String {
        switch self {
        case .password: "scram-sha-256"
        case .trust: "trust"
        }
    }
}

/// The file that holds all settings we give a server; `postgresql.conf` includes it last.
struct ServerSettingsFile {
    static let name = "club.conf"

    let port: Int
    let socketFolder: String
    let profile: ClusterProfile

    var text: String {
        let common = [
            "listen_addresses = '127.0.0.1'",
            "port = \(self.port)",
            "unix_socket_directories = '\(self.socketFolder.replacing("'", with: "''"))'",
            "password_encryption = 'scram-sha-256'",
            "timezone = 'UTC'",
            "log_timezone = 'UTC'",
            "cluster_name = 'club'",
            // The statements here are short: compiling them costs more than it saves.
            "jit = off",
        ]
        return (["# Written anew at every start."] + common + self.profile.settings).joined(separator: "\n") + "\n"
    }
}

public import Kernel

/// Where the database is and how long anything may take.
public struct DatabaseConfiguration: Sendable {
    /// A connection string of libpq, as a URL or as keywords, with any of its settings (TLS, several hosts,
    /// `target_session_attrs`): https://www.postgresql.org/docs/15/libpq-connect.html#LIBPQ-CONNSTRING
    public var conninfo: String
    /// Goes before the user of the connection string.
    public var user: String?
    /// Goes before the password of the connection string.
    public var password: Secret?
    /// Shown in `pg_stat_activity`.
    public var applicationName: String
    public var pool: PoolLimits
    /// The server ends a statement that runs longer. Zero: never.
    public var statementTimeout: Duration
    /// The server ends a statement that waits longer for a lock. Zero: never.
    public var lockTimeout: Duration
    /// The server ends a session that does nothing inside of a transaction for longer. Zero: never.
    public var idleInTransactionTimeout: Duration
    /// How much longer than ``statementTimeout`` the client waits before it calls the connection lost.
    public var answerGrace: Duration
    /// For each host of the connection string, unless that says `connect_timeout`.
    public var connectTimeout: Duration
    /// Prepared statements kept for each connection.
    public var statementCacheLimit: Int
    /// Whether statements are prepared under names, which a session remembers. Behind a pooler that gives each transaction
    /// another session (PgBouncer in transaction mode before 1.21) they must not be: then every statement is sent whole.
    /// Such a pooler must also be told to ignore the start packet's `options`, in which the limits above travel
    /// (`ignore_startup_parameters = options`); set them for the role instead.
    public var preparesStatements = true

    public init(
        conninfo: String, user: String? = nil, password: Secret? = nil, applicationName: String = "club",
        pool: PoolLimits = PoolLimits(), statementTimeout: Duration = .seconds(10),
        lockTimeout: Duration = .seconds(5), idleInTransactionTimeout: Duration = .seconds(10),
        answerGrace: Duration = .seconds(2), connectTimeout: Duration = .seconds(5), statementCacheLimit: Int = 256
    ) {
        self.conninfo = conninfo
        self.user = user
        self.password = password
        self.applicationName = applicationName
        self.pool = pool
        self.statementTimeout = statementTimeout
        self.lockTimeout = lockTimeout
        self.idleInTransactionTimeout = idleInTransactionTimeout
        self.answerGrace = answerGrace
        self.connectTimeout = connectTimeout
        self.statementCacheLimit = statementCacheLimit
    }
}

/// How many connections there may be, how many callers may wait for one, and how long.
public struct PoolLimits: Sendable, Hashable {
    /// Connections.
    public var size: Int
    /// Callers that wait for a connection; one more is refused at once.
    public var waiting: Int
    public var waitTimeout: Duration
    /// A connection that nobody wanted for so long is closed.
    public var idleTimeout: Duration

    public init(
        size: Int = 8, waiting: Int = 512, waitTimeout: Duration = .seconds(5), idleTimeout: Duration = .seconds(60)
    ) {
        self.size = size
        self.waiting = waiting
        self.waitTimeout = waitTimeout
        self.idleTimeout = idleTimeout
    }
}

extension Duration {
    /// Whole milliseconds, rounded up, so that a short limit does not become none.
    var milliseconds: Int64 {
        let (seconds, attoseconds) = self.components
        return seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    }
}

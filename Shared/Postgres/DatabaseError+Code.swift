extension DatabaseError.Code {
    // From PostgreSQL (https://www.postgresql.org/docs/15/errcodes-appendix.html)
    public static let uniqueViolation = Self("unique-violation")
    public static let foreignKeyViolation = Self("foreign-key-violation")
    public static let notNullViolation = Self("not-null-violation")
    public static let checkViolation = Self("check-violation")
    public static let exclusionViolation = Self("exclusion-violation")
    public static let serializationFailure = Self("serialization-failure")
    public static let deadlockDetected = Self("deadlock-detected")
    public static let lockNotAvailable = Self("lock-not-available")
    /// The statement ran longer than ``DatabaseConfiguration/statementTimeout``, or somebody cancelled it.
    public static let statementCanceled = Self("statement-canceled")
    /// The transaction did nothing for longer than ``DatabaseConfiguration/idleInTransactionTimeout``.
    public static let idleInTransactionTimeout = Self("idle-in-transaction-timeout")
    /// The transaction has failed before; only a rollback helps.
    public static let transactionAborted = Self("transaction-aborted")
    public static let readOnly = Self("read-only")
    public static let insufficientPrivilege = Self("insufficient-privilege")
    public static let undefinedObject = Self("undefined-object")
    public static let duplicateObject = Self("duplicate-object")
    public static let invalidValue = Self("invalid-value")
    public static let syntaxError = Self("syntax-error")
    /// A statement of the schema changed what a prepared statement returns, in the middle of a transaction.
    public static let planInvalidated = Self("plan-invalidated")
    public static let authenticationFailed = Self("authentication-failed")
    public static let tooManyConnections = Self("too-many-connections")
    /// The server starts up, shuts down or recovers.
    public static let cannotConnectNow = Self("cannot-connect-now")
    /// `raise exception` of a function or trigger without a code of its own.
    public static let raisedException = Self("raised-exception")
    /// Any other SQLSTATE.
    public static let serverError = Self("server-error")

    // From this client
    /// The connection broke, or the server did not answer in time. It is unknown what it did last.
    public static let connectionLost = Self("connection-lost")
    public static let cannotConnect = Self("cannot-connect")
    public static let invalidConfiguration = Self("invalid-configuration")
    public static let poolClosed = Self("pool-closed")
    /// As many callers wait for a connection as ``PoolLimits/waiting`` allows.
    public static let poolExhausted = Self("pool-exhausted")
    /// No connection became free within ``PoolLimits/waitTimeout``.
    public static let poolTimeout = Self("pool-timeout")
    public static let noRow = Self("no-row")
    public static let manyRows = Self("many-rows")
    /// A column's type or value does not fit the Swift type asked for.
    public static let decodingFailed = Self("decoding-failed")
    /// A Swift value cannot be said to PostgreSQL.
    public static let encodingFailed = Self("encoding-failed")
    /// A statement behind the failing one in a pipeline: it did not run.
    public static let pipelineAborted = Self("pipeline-aborted")
    public static let systemCallFailed = Self("system-call-failed")
    /// The caller did what the documentation forbids; the context says what.
    public static let misuse = Self("misuse")
    public static let migrationFailed = Self("migration-failed")

    init(sqlState: String) {
        self = Self.bySQLState[sqlState] ?? Self.bySQLClass[String(sqlState.prefix(2))] ?? .serverError
    }

    private static let bySQLState: [String: Self] = [
        "23505": .uniqueViolation, "23503": .foreignKeyViolation, "23502": .notNullViolation,
        "23514": .checkViolation, "23P01": .exclusionViolation, "40001": .serializationFailure,
        "40P01": .deadlockDetected, "55P03": .lockNotAvailable, "57014": .statementCanceled,
        "25P02": .transactionAborted, "25P03": .idleInTransactionTimeout, "25006": .readOnly,
        "42501": .insufficientPrivilege, "42601": .syntaxError, "42P01": .undefinedObject,
        "42703": .undefinedObject, "42883": .undefinedObject, "42704": .undefinedObject,
        "3F000": .undefinedObject, "3D000": .undefinedObject, "42P07": .duplicateObject,
        "42710": .duplicateObject, "42P06": .duplicateObject, "42701": .duplicateObject,
        "42723": .duplicateObject, "53300": .tooManyConnections, "57P01": .connectionLost,
        "57P02": .connectionLost, "57P03": .cannotConnectNow, "P0001": .raisedException,
    ]

    private static let bySQLClass: [String: Self] = [
        "08": .connectionLost, "22": .invalidValue, "28": .authenticationFailed,
    ]
}

internal import Glibc

/// What went wrong in or on the way to the database.
///
/// The description is fit for a log: it names codes and objects of the schema and never quotes data. What PostgreSQL
/// says in words may quote a member's data ("Key (phone)=(+7…) already exists"); it is kept in ``message`` and
/// ``detail``, which no log statement may touch.
public struct DatabaseError: Error, Sendable {
    /// The kind of failure. An open set: kinds may be added.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        public let name: String
        public var description: String { self.name }

        init(_ name: String) { self.name = name }
    }

    private final class Storage: Sendable {
        let sqlState: String?
        let schema: String?
        let table: String?
        let column: String?
        let constraint: String?
        let message: String?
        let detail: String?
        let position: Int?

        init(
            sqlState: String?, schema: String?, table: String?, column: String?, constraint: String?,
            message: String?, detail: String?, position: Int?
        ) {
            self.sqlState = sqlState
            self.schema = schema
            self.table = table
            self.column = column
            self.constraint = constraint
            self.message = message
            self.detail = detail
            self.position = position
        }
    }

    public let code: Code
    /// What the client itself has to say; free of data.
    public let context: String?
    private let storage: Storage

    /// The five characters of PostgreSQL's Appendix A, when the server spoke.
    public var sqlState: String? { self.storage.sqlState }
    /// The schema of the table or constraint concerned.
    public var schema: String? { self.storage.schema }
    public var table: String? { self.storage.table }
    public var column: String? { self.storage.column }
    public var constraint: String? { self.storage.constraint }
    /// PostgreSQL's own sentence. May quote data: never log it, never show it.
    public var message: String? { self.storage.message }
    /// PostgreSQL's second sentence. May quote data: never log it, never show it.
    public var detail: String? { self.storage.detail }
    /// Where in the statement the error lies, in characters from 1.
    public var position: Int? { self.storage.position }

    init(
        _ code: Code, context: String? = nil, sqlState: String? = nil, schema: String? = nil, table: String? = nil,
        column: String? = nil, constraint: String? = nil, message: String? = nil, detail: String? = nil,
        position: Int? = nil
    ) {
        self.code = code
        self.context = context
        self.storage = Storage(
            sqlState: sqlState, schema: schema, table: table, column: column, constraint: constraint,
            message: message, detail: detail, position: position)
    }

    init(systemCall: String, errno: Int32) {
        self.init(.systemCallFailed, context: "\(systemCall): errno \(errno)")
    }

    /// Whether the same work may succeed when it is done again from the start of its transaction.
    ///
    /// After `connection-lost` it is unknown whether a commit happened: repeat only what is safe to do twice.
    public var isRetryable: Bool {
        switch self.code {
        case .connectionLost, .cannotConnect, .serializationFailure, .deadlockDetected, .lockNotAvailable,
            .tooManyConnections, .cannotConnectNow, .planInvalidated, .readOnly:
            true
        default:
            false
        }
    }
}

extension DatabaseError: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String {
        var parts = [self.code.name]
        if let context = self.context { parts.append(context) }
        if let sqlState = self.sqlState { parts.append("sqlState: \(sqlState)") }
        if let table = self.table { parts.append("table: \(self.schema.map { $0 + "." } ?? "")\(table)") }
        if let column = self.column { parts.append("column: \(column)") }
        if let constraint = self.constraint { parts.append("constraint: \(constraint)") }
        return "DatabaseError(\(parts.joined(separator: ", ")))"
    }

    public var debugDescription: String { self.description }

    /// `dump` and the test library walk through mirrors: they must not find the server's sentences either.
    public var customMirror: Mirror { Mirror(self, children: ["description": self.description]) }
}

internal import CPostgres

/// What a statement returned: rows, read lazily from libpq's own memory, and the number of rows it touched.
public struct QueryResult: Sendable {
    let storage: ResultStorage

    /// The rows inserted, updated, deleted or selected.
    public var affectedRows: Int { self.storage.affectedRows }
}

extension QueryResult: RandomAccessCollection {
    public var startIndex: Int { 0 }
    public var endIndex: Int { self.storage.rowCount }
    public subscript(position: Int) -> Row {
        precondition(position >= 0 && position < self.storage.rowCount, "no such row")
        return Row(storage: self.storage, index: Int32(position))
    }
}

/// Owns a result of libpq and frees it with its last row.
///
/// Sendable because a finished `PGresult` is never changed and libpq allows reading it from any thread
/// (https://www.postgresql.org/docs/15/libpq-threading.html); the pointer does not leave this class.
final class ResultStorage: @unchecked Sendable {
    private let result: OpaquePointer

    init(owning result: OpaquePointer) {
        self.result = result
    }

    deinit {
        PQclear(self.result)
    }

    var status: ExecStatusType { PQresultStatus(self.result) }
    var rowCount: Int { Int(PQntuples(self.result)) }
    var columnCount: Int { Int(PQnfields(self.result)) }

    var affectedRows: Int {
        guard let text = PQcmdTuples(self.result) else { return 0 }
        return Int(String(cString: text)) ?? 0
    }

    /// What the server says it has done: `COMMIT`, `INSERT 0 1`.
    var commandTag: String {
        PQcmdStatus(self.result).map { String(cString: $0) } ?? ""
    }

    func type(_ column: Int32) -> PostgresType {
        PostgresType(oid: PQftype(self.result, column))
    }

    func name(_ column: Int32) -> String {
        PQfname(self.result, column).map { String(cString: $0) } ?? ""
    }

    func column(named name: String) -> Int32? {
        for column in 0..<PQnfields(self.result) {
            guard let candidate = PQfname(self.result, column) else { continue }
            if name.utf8.elementsEqual(CStringBytes(candidate)) { return column }
        }
        return nil
    }

    func isNull(_ row: Int32, _ column: Int32) -> Bool {
        PQgetisnull(self.result, row, column) != 0
    }

    func withBytes<R>(_ row: Int32, _ column: Int32, _ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        let bytes = UnsafeRawBufferPointer(
            start: PQgetvalue(self.result, row, column), count: Int(PQgetlength(self.result, row, column)))
        return try body(bytes)
    }

    /// A field of the server's error report.
    func field(_ code: Character) -> String? {
        guard let value = code.asciiValue, let text = PQresultErrorField(self.result, Int32(value)) else { return nil }
        return String(cString: text)
    }

    /// The error this result stands for; nil for a success.
    var error: DatabaseError? {
        switch self.status {
        case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE, PGRES_NONFATAL_ERROR: break
        case PGRES_PIPELINE_ABORTED:
            return DatabaseError(.pipelineAborted)
        default: return nil
        }
        // The letters are PG_DIAG_… of postgres_ext.h.
        guard let sqlState = self.field("C") else {
            let message = PQresultErrorMessage(self.result).map { String(cString: $0) }
            return DatabaseError(.connectionLost, message: message)
        }
        return DatabaseError(
            DatabaseError.Code(sqlState: sqlState), sqlState: sqlState, schema: self.field("s"),
            table: self.field("t"), column: self.field("c"), constraint: self.field("n"), message: self.field("M"),
            detail: self.field("D"), position: self.field("P").flatMap(Int.init))
    }
}

/// The bytes of a C string up to its end.
private struct CStringBytes: Sequence, IteratorProtocol {
    private var position: UnsafeMutablePointer<CChar>

    init(_ start: UnsafeMutablePointer<CChar>) {
        self.position = start
    }

    mutating func next() -> UInt8? {
        guard self.position.pointee != 0 else { return nil }
        defer { self.position += 1 }
        return UInt8(bitPattern: self.position.pointee)
    }
}

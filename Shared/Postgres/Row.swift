/// One row of a result. Keeps the whole result alive: take what is needed out of it and let it go.
public struct Row: Sendable {
    let storage: ResultStorage
    let index: Int32

    /// The number of columns.
    public var count: Int { self.storage.columnCount }

    /// All columns by position, as a tuple.
    /// - Throws: `DatabaseError` (`decoding-failed`) when the number of columns or a type does not fit.
    public func decode<each Column: PostgresDecodable>(
        _ types: repeat (each Column).Type
    ) throws -> (repeat each Column) {
        var expected: Int32 = 0
        for _ in repeat each types { expected += 1 }
        guard Int(expected) == self.storage.columnCount else {
            throw DatabaseError(
                .decodingFailed, context: "\(self.storage.columnCount) columns, not \(expected)")
        }
        var column: Int32 = -1
        func next<C: PostgresDecodable>(_ type: C.Type) throws -> C {
            column += 1
            return try C.decode(PostgresCell(storage: self.storage, row: self.index, column: column))
        }
        return (repeat try next(each types))
    }

    /// One column by its name, exactly as the statement spells it (PostgreSQL folds unquoted names to lower case).
    /// - Throws: `DatabaseError` (`decoding-failed`) when there is no such column or its type does not fit.
    public func value<C: PostgresDecodable>(_ column: String, as type: C.Type = C.self) throws -> C {
        guard let position = self.storage.column(named: column) else {
            throw DatabaseError(.decodingFailed, context: "no column \(column)")
        }
        return try C.decode(PostgresCell(storage: self.storage, row: self.index, column: position))
    }

    /// One column by its position from 0.
    /// - Throws: `DatabaseError` (`decoding-failed`) when there is no such column or its type does not fit.
    public func value<C: PostgresDecodable>(at position: Int, as type: C.Type = C.self) throws -> C {
        guard position >= 0, position < self.storage.columnCount else {
            throw DatabaseError(.decodingFailed, context: "no column \(position)")
        }
        return try C.decode(PostgresCell(storage: self.storage, row: self.index, column: Int32(position)))
    }
}

/// What can be read from a row.
public protocol RowDecodable {
    init(row: Row) throws
}

/// One value of a row, in PostgreSQL's binary format.
public struct PostgresCell {
    private let source: Source

    private enum Source {
        case column(ResultStorage, row: Int32, column: Int32)
        case element(UnsafeRawBufferPointer?, PostgresType)
    }

    init(storage: ResultStorage, row: Int32, column: Int32) {
        self.source = .column(storage, row: row, column: column)
    }

    /// An element of an array; the bytes belong to the cell of the array and must outlive this one.
    init(element bytes: UnsafeRawBufferPointer?, type: PostgresType) {
        self.source = .element(bytes, type)
    }

    /// What PostgreSQL says the value is.
    public var type: PostgresType {
        switch self.source {
        case .column(let storage, _, let column): storage.type(column)
        case .element(_, let type): type
        }
    }

    public var isNull: Bool {
        switch self.source {
        case .column(let storage, let row, let column): storage.isNull(row, column)
        case .element(let bytes, _): bytes == nil
        }
    }

    /// Lends the bytes of the value.
    /// - Throws: `DatabaseError` (`decoding-failed`) for a null, and what the body throws.
    public func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
        guard !self.isNull else { throw self.failure("null") }
        switch self.source {
        case .column(let storage, let row, let column):
            return try storage.withBytes(row, column, body)
        case .element(let bytes, _):
            return try body(bytes ?? UnsafeRawBufferPointer(start: nil, count: 0))
        }
    }

    /// An error that names the column and what was found there, never the value.
    public func failure(_ found: String) -> DatabaseError {
        let place: String
        switch self.source {
        case .column(let storage, _, let column): place = storage.name(column)
        case .element: place = "array element"
        }
        return DatabaseError(.decodingFailed, context: "\(place): found \(found)")
    }
}

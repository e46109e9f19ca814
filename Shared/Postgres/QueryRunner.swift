/// What can run a statement: a ``Database`` (borrows a connection for each call), a ``Connection``, a ``Transaction``.
public protocol QueryRunner: ~Copyable {
    /// - Throws: `DatabaseError`; `CancellationError` when the task was cancelled, then the statement is too.
    func run(_ sql: SQL) async throws -> QueryResult

    /// Runs all in one round trip. Outside of a transaction they are one: all or none.
    /// - Throws: the error of the first that failed; those behind it did not run.
    func pipeline(_ statements: [SQL]) async throws -> [QueryResult]
}

extension QueryRunner where Self: ~Copyable {
    /// - Returns: how many rows were touched.
    @discardableResult
    public func execute(_ sql: SQL) async throws -> Int {
        try await self.run(sql).affectedRows
    }

    public func query(_ sql: SQL) async throws -> [Row] {
        Array(try await self.run(sql))
    }

    public func query<T: RowDecodable>(_ sql: SQL, as type: T.Type = T.self) async throws -> [T] {
        try await self.run(sql).map(T.init(row:))
    }

    /// The first row, if there is any.
    public func first(_ sql: SQL) async throws -> Row? {
        try await self.run(sql).first
    }

    /// The first row, if there is any.
    public func first<T: RowDecodable>(_ sql: SQL, as type: T.Type) async throws -> T? {
        try await self.run(sql).first.map(T.init(row:))
    }

    /// The only row.
    /// - Throws: `DatabaseError` (`no-row`, `many-rows`) when there is none or more than one.
    public func one(_ sql: SQL) async throws -> Row {
        let result = try await self.run(sql)
        guard let row = result.first else { throw DatabaseError(.noRow) }
        guard result.count == 1 else { throw DatabaseError(.manyRows, context: "\(result.count) rows") }
        return row
    }

    /// The only row.
    /// - Throws: `DatabaseError` (`no-row`, `many-rows`) when there is none or more than one.
    public func one<T: RowDecodable>(_ sql: SQL, as type: T.Type) async throws -> T {
        try T(row: try await self.one(sql))
    }
}

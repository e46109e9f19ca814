extension Transaction {
    /// Writes rows with COPY in binary, the fastest way in. Rows are taken as the server can take them.
    ///
    /// Values are sent in the types of the columns: integers fit any integer column that can hold them, texts fit text
    /// types and enums, anything else must be of the column's own type.
    /// - Parameters:
    ///   - table: the table's name as SQL, `"ledger.posting"`.
    ///   - rows: the values in the order of the columns.
    /// - Returns: the number of rows.
    /// - Throws: `DatabaseError`, among others `encoding-failed` for a value that does not fit its column;
    ///   `CancellationError`. The transaction has then failed.
    @discardableResult
    public func copy<each Column: PostgresEncodable>(
        into table: SQL, columns: [String], rows: some Sequence<(repeat each Column)>
    ) async throws -> Int {
        var types: [PostgresType] = []
        for column in repeat (each Column).self { types.append(column.postgresType) }
        return try await self.copy(into: table, columns, types, rows) { row, adapters, buffer in
            var column = 0
            for value in repeat each row {
                try adapters[column].append(value, to: &buffer)
                column += 1
            }
        }
    }

    /// The same for one column.
    @discardableResult
    public func copy<Value: PostgresEncodable>(
        into table: SQL, column: String, rows: some Sequence<Value>
    ) async throws -> Int {
        try await self.copy(into: table, [column], [Value.postgresType], rows) { value, adapters, buffer in
            try adapters[0].append(value, to: &buffer)
        }
    }

    private func copy<Element>(
        into table: SQL, _ columns: [String], _ types: [PostgresType], _ rows: some Sequence<Element>,
        append: (Element, [CopyAdapter], inout ParameterBuffer) throws -> Void
    ) async throws -> Int {
        let adapters = try await self.adapters(table, columns, types)
        let names = columns.map(quotedIdentifier).joined(separator: ", ")
        let start = SQL(trusted: "copy \(table.text) (\(names)) from stdin (format binary)")
        _ = try await self.connection.perform(.copyStart(start))
        do {
            var buffer = ParameterBuffer()
            buffer.append(bytes: CopyFormat.header)
            for row in rows {
                buffer.append(Int16(clamping: adapters.count))
                try append(row, adapters, &buffer)
                guard buffer.bytes.count >= CopyFormat.chunkSize else { continue }
                try Task.checkCancellation()
                _ = try await self.connection.perform(.copyData(buffer.bytes), isCancellable: false)
                buffer.removeAll()
            }
            buffer.append(CopyFormat.trailer)
            _ = try await self.connection.perform(.copyData(buffer.bytes), isCancellable: false)
        } catch {
            if self.connection.condition.value != .lost {
                // The server answers the abort with an error, which says nothing new.
                _ = try? await self.connection.perform(.copyEnd(abort: "given up"), isCancellable: false)
            }
            throw error
        }
        let results = try await self.connection.perform(.copyEnd(abort: nil))
        return results.last?.affectedRows ?? 0
    }

    /// What the columns are made of, as PostgreSQL knows it: COPY in binary converts nothing by itself.
    private func adapters(
        _ table: SQL, _ columns: [String], _ given: [PostgresType]
    ) async throws -> [CopyAdapter] {
        guard given.count == columns.count else {
            throw DatabaseError(.misuse, context: "\(columns.count) columns but \(given.count) values a row")
        }
        let found = try await self.query(
            """
            select attribute.attname::text,
                   coalesce(nullif(type.typbasetype, 0), type.oid)::bigint
            from pg_catalog.pg_attribute as attribute
            join pg_catalog.pg_type as type on type.oid = attribute.atttypid
            where attribute.attrelid = \(table.text)::regclass
              and attribute.attname = any(\(columns))
              and not attribute.attisdropped
            """)
        var types: [String: PostgresType] = [:]
        for row in found {
            let (name, oid) = try row.decode(String.self, Int64.self)
            types[name] = PostgresType(oid: UInt32(truncatingIfNeeded: oid))
        }
        return try zip(columns, given).map { column, type in
            guard let target = types[column] else {
                throw DatabaseError(.undefinedObject, context: "\(table.text) has no column \(column)")
            }
            return try CopyAdapter(column: column, from: type, to: target)
        }
    }
}

/// https://www.postgresql.org/docs/15/sql-copy.html#id-1.9.3.55.9.4
private enum CopyFormat {
    static let header: [UInt8] = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00] + [UInt8](repeating: 0, count: 8)
    static let trailer: Int16 = -1
    /// Bytes; one hop and one system call for each.
    static let chunkSize = 64 * 1024
}

/// Writes the values of one column as the column's type wants them.
struct CopyAdapter {
    private enum Way {
        case same
        case integer(width: Int)
        case json
    }

    private let column: String
    private let way: Way

    init(column: String, from source: PostgresType, to target: PostgresType) throws {
        let integers: [PostgresType: Int] = [.int2: 2, .int4: 4, .int8: 8]
        self.column = column
        switch (source, target) {
        case _ where source == target: self.way = .same
        case _ where source == .text && target.isTextual: self.way = .same
        case (.jsonb, .json): self.way = .json
        default:
            guard integers[source] != nil, let width = integers[target] else {
                throw DatabaseError(.encodingFailed, context: "column \(column) is of \(target), not \(source)")
            }
            self.way = .integer(width: width)
        }
    }

    func append(_ value: some PostgresEncodable, to buffer: inout ParameterBuffer) throws {
        try buffer.appendSized { buffer in
            guard !value.isNull else { return true }
            switch self.way {
            case .same: try value.encode(into: &buffer)
            case .integer(let width): try self.appendInteger(value, width, &buffer)
            case .json:
                var jsonb = ParameterBuffer()
                try value.encode(into: &jsonb)
                buffer.append(bytes: jsonb.bytes.dropFirst())
            }
            return false
        }
    }

    private func appendInteger(_ value: some PostgresEncodable, _ width: Int, _ buffer: inout ParameterBuffer) throws {
        var source = ParameterBuffer()
        try value.encode(into: &source)
        // Sign first, as the bytes are big-endian.
        let isNegative = source.bytes.first.map { $0 >= 0x80 } ?? false
        let number = source.bytes.reduce(isNegative ? -1 : Int64(0)) { $0 << 8 | Int64($1) }
        switch width {
        case 2 where Int16(exactly: number) != nil: buffer.append(Int16(truncatingIfNeeded: number))
        case 4 where Int32(exactly: number) != nil: buffer.append(Int32(truncatingIfNeeded: number))
        case 8: buffer.append(number)
        default: throw DatabaseError(.encodingFailed, context: "column \(self.column): an integer out of range")
        }
    }
}

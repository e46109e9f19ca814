import FoundationEssentials
import Kernel
import TestSupport
import Testing

@testable import Postgres

@Suite(.database()) struct CopyTests {
    @Test func `a hundred thousand rows go in and are what they were`() async throws {
        let database = try TestDatabase.current.owner
        try await database.execute("create table t (id bigint, name text, at timestamptz, tag uuid, bytes bytea)")
        let tag = UUID()
        let rows = (0..<100_000).lazy.map { number -> (Int, String?, Timestamp, UUID, [UInt8]) in
            let name = number % 10 == 0 ? nil : "строка \(number)"
            return (number, name, Timestamp(microseconds: Int64(number)), tag, [UInt8(number & 255)])
        }
        let count = try await database.transaction { transaction in
            try await transaction.copy(into: "t", columns: ["id", "name", "at", "tag", "bytes"], rows: rows)
        }
        #expect(count == 100_000)
        let row = try await database.one(
            """
            select count(*), sum(id), count(name), min(at), max(tag::text), sum(get_byte(bytes, 0)),
                   max(name) filter (where id = 77)
            from t
            """)
        let found = try row.decode(Int.self, Int.self, Int.self, Timestamp.self, String.self, Int.self, String.self)
        #expect(found.0 == 100_000 && found.1 == 4_999_950_000 && found.2 == 90_000)
        #expect(found.3 == Timestamp(microseconds: 0) && found.4 == tag.uuidString.lowercased())
        #expect(found.5 == (0..<100_000).reduce(0) { $0 + $1 & 255 } && found.6 == "строка 77")
    }

    @Test func `rows wait for the server: memory does not grow with them`() async throws {
        let database = try TestDatabase.current.owner
        try await database.execute("create table t (v text)")
        let text = String(repeating: "x", count: 1_000_000)
        let count = try await database.transaction { transaction in
            try await transaction.copy(into: "t", column: "v", rows: (0..<64).lazy.map { _ in text })
        }
        #expect(count == 64)
        #expect(try await database.one("select sum(length(v)) from t").decode(Int.self) == 64_000_000)
    }

    @Test func `values are said in the types of the columns`() async throws {
        let database = try TestDatabase.current.owner
        try await database.execute("create type mood as enum ('good', 'bad')")
        try await database.execute("create domain small as int check (value < 100)")
        try await database.execute(
            "create table t (a smallint, b int, c bigint, d mood, e varchar(9), f jsonb, g json, h small, i int[])")
        try await database.transaction { transaction in
            try await transaction.copy(
                into: "t", columns: ["a", "b", "c", "d", "e", "f", "g", "h", "i"],
                rows: [(-7, 70_000, Int16(3), "bad", "text", JSONB([1]), JSONB([2]), 99, [Int32(1), 2])])
        }
        let row = try await database.one("select a, b, c, d, e, f, g, h, i from t")
        #expect(try row.value("a") == -7)
        #expect(try row.value("b") == 70_000)
        #expect(try row.value("c") == 3)
        #expect(try row.value("d") == "bad")
        #expect(try row.value("f", as: RawJSON.self).text == "[1]")
        #expect(try row.value("g", as: RawJSON.self).text == "[2]")
        #expect(try row.value("h") == 99)
        #expect(try row.value("i") == [1, 2])
    }

    @Test func `a value that does not fit its column is refused by name, and nothing stays`() async throws {
        let database = try TestDatabase.current.owner
        try await database.execute("create table t (a smallint)")
        let tooLarge = try await databaseError {
            try await database.transaction { try await $0.copy(into: "t", column: "a", rows: [1, 2, 40_000]) }
        }
        #expect(tooLarge.code == .encodingFailed && "\(tooLarge)".contains("column a"))
        let wrongType = try await databaseError {
            try await database.transaction { try await $0.copy(into: "t", column: "a", rows: ["1"]) }
        }
        #expect(wrongType.code == .encodingFailed)
        let unknown = try await databaseError {
            try await database.transaction { try await $0.copy(into: "t", column: "z", rows: [1]) }
        }
        #expect(unknown.code == .undefinedObject)
        #expect(try await database.one("select count(*) from t").decode(Int.self) == 0)
    }

    @Test func `an error of the server in the middle is reported and the session lives on`() async throws {
        try await withDatabase {
            $0.pool.size = 1
        } _: { database in
            try await database.execute("create table t (id int primary key)")
            let backend = try await database.backend()
            let error = try await databaseError {
                try await database.transaction { transaction in
                    try await transaction.copy(into: "t", column: "id", rows: (0..<50_000).map { $0 % 30_000 })
                }
            }
            #expect(error.code == .uniqueViolation)
            #expect(try await database.one("select count(*) from t").decode(Int.self) == 0)
            #expect(try await database.backend() == backend)
        }
    }

    @Test func `a savepoint saves the transaction from a copy that failed`() async throws {
        let database = try TestDatabase.current.owner
        try await database.execute("create table t (id int primary key)")
        try await database.transaction { transaction in
            try await transaction.copy(into: "t", column: "id", rows: [1])
            _ = try? await transaction.savepoint { try await $0.copy(into: "t", column: "id", rows: [2, 1]) }
            try await transaction.copy(into: "t", column: "id", rows: [3])
        }
        let ids = try await database.query("select id from t order by id").map { try $0.decode(Int.self) }
        #expect(ids == [1, 3])
    }

    @Test(arguments: ["copy t from stdin", "copy t to stdout", "copy (select 1) to stdout"] as [SQL])
    func `a copy that is run as a statement is refused`(sql: SQL) async throws {
        try await withDatabase {
            $0.pool.size = 1
        } _: { database in
            try await database.execute("create table t (id int)")
            #expect(try await databaseError { try await database.execute(sql) }.code == .misuse)
            let error = try await databaseError {
                try await database.withConnection { try await $0.script(sql.text) }
            }
            #expect(error.code == .misuse)
            _ = try await database.backend()
        }
    }

    @Test func `statements of others are refused while a copy is open`() async throws {
        let database = try TestDatabase.current.owner
        try await database.execute("create table t (id int)")
        try await database.withConnection { connection in
            try await connection.execute("begin")
            _ = try await connection.perform(.copyStart("copy t from stdin (format binary)"))
            #expect(try await databaseError { try await connection.execute("select 1") }.code == .misuse)
            #expect(await failure { try await connection.perform(.copyEnd(abort: "enough")) } is DatabaseError)
            #expect(try await databaseError { try await connection.perform(.copyData([1])) }.code == .misuse)
            try await connection.execute("rollback")
        }
    }

    @Test func `a cancelled task stops its copy`() async throws {
        try await withDatabase {
            $0.pool.size = 1
        } _: { database in
            try await database.execute("create table t (id int)")
            let backend = try await database.backend()
            let started = Signal<Void>()
            let task = Task {
                try await database.transaction { transaction in
                    try await transaction.copy(
                        into: "t", column: "id",
                        rows: (0..<Int32.max).lazy.map { number in
                            if number == 100_000 { started.send() }
                            return number
                        })
                }
            }
            try await started.next()
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(try await database.backend() == backend)
            #expect(try await database.one("select count(*) from t").decode(Int.self) == 0)
        }
    }
}

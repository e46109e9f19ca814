import Kernel
import TestSupport
import Testing

@testable import Postgres

@Suite(.database()) struct QueryTests {
    private struct Item: RowDecodable, Equatable {
        let id: Int, name: String
        init(row: Row) throws { (self.id, self.name) = try row.decode(Int.self, String.self) }
    }

    @Test func `rows are read by position, by name and into types`() async throws {
        let database = try TestDatabase.current.owner
        try await database.execute("create table item (id bigint primary key, name text not null)")
        #expect(try await database.execute("insert into item values (1, \("a")), (2, \("b"))") == 2)
        let items = try await database.query("select id, name from item order by id", as: Item.self)
        #expect(items.map(\.name) == ["a", "b"])
        #expect(try await database.first("select id, name from item where id = \(2)", as: Item.self)?.name == "b")
        #expect(try await database.first("select id from item where id = \(3)") == nil)
        #expect(try await database.one("select name from item where id = 1").value("name") == "a")
        #expect(try await database.execute("update item set name = 'c'") == 2)
        #expect(try await database.execute("delete from item where id > 5") == 0)
    }

    @Test func `one row means one row`() async throws {
        let database = try TestDatabase.current.owner
        #expect(try await databaseError { _ = try await database.one("select 1 where false") }.code == .noRow)
        #expect(
            try await databaseError { _ = try await database.one("select generate_series(1, 2)") }.code == .manyRows)
    }

    @Test func `errors are typed by their SQLSTATE and the connection goes on`() async throws {
        try await withDatabase {
            $0.pool.size = 1
        } _: { database in
            let backend = try await database.backend()
            try await database.execute(
                "create table t (id int primary key, parent int references t, n int constraint t_n check (n > 0))"
            )
            try await database.execute("insert into t values (1, null, 1)")
            func code(_ sql: SQL) async throws -> DatabaseError {
                try await databaseError { try await database.execute(sql) }
            }
            let unique = try await code("insert into t values (1, null, 1)")
            #expect(unique.code == .uniqueViolation && unique.constraint == "t_pkey" && unique.table == "t")
            #expect(unique.sqlState == "23505" && !unique.isRetryable)
            #expect(try await code("insert into t values (2, 9, 1)").code == .foreignKeyViolation)
            #expect(try await code("insert into t values (2, null, 0)").constraint == "t_n")
            #expect(try await code("insert into t values (null, null, 1)").column == "id")
            #expect(try await code("selekt 1").code == .syntaxError)
            #expect(try await code("select * from nowhere").code == .undefinedObject)
            #expect(try await code("select 1 / 0").code == .invalidValue)
            #expect(try await database.backend() == backend)
        }
    }

    @Test func `limits of time are set when the session begins`() async throws {
        try await withDatabase {
            $0.statementTimeout = .milliseconds(50)
            $0.lockTimeout = .milliseconds(40)
            $0.idleInTransactionTimeout = .milliseconds(30)
        } _: { database in
            let row = try await database.one(
                """
                select current_setting('statement_timeout'), current_setting('lock_timeout'),
                       current_setting('idle_in_transaction_session_timeout'), current_setting('application_name')
                """)
            let (statement, lock, idle, name) = try row.decode(String.self, String.self, String.self, String.self)
            #expect(statement == "50ms" && lock == "40ms" && idle == "30ms" && name == "club-tests")
            let error = try await databaseError { try await database.execute("select pg_sleep(60)") }
            #expect(error.code == .statementCanceled)
        }
    }

    @Test func `statements of many tasks on one connection run one after the other, each with its own answer`()
        async throws
    {
        try await TestDatabase.current.owner.withConnection { connection in
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<200 {
                    group.addTask { try await connection.one("select \(number)").decode(Int.self) == number }
                }
                for try await isOwn in group { #expect(isOwn) }
            }
        }
    }

    @Test func `a task that prefers the reactor gets its answers there`() async throws {
        let (database, reactor) = (try TestDatabase.current.owner, try TestDatabase.current.reactor)
        let sum = try await withTaskExecutorPreference(reactor) {
            var sum = 0
            for number in 1...100 { sum += try await database.one("select \(number)").decode(Int.self) }
            return sum
        }
        #expect(sum == 5050)
    }

    // MARK: Prepared statements

    @Test func `a statement is prepared once, and the least used one is deallocated`() async throws {
        try await withDatabase {
            $0.pool.size = 1
            $0.statementCacheLimit = 3
        } _: { database in
            func known() async throws -> [String] {
                let rows = try await database.query(
                    """
                    select right(statement, 1)
                    from pg_prepared_statements
                    where statement like 'select ''tag%'
                    order by 1
                    """
                )
                return try rows.map { try $0.decode(String.self) }
            }
            for _ in 0..<3 { try await database.execute("select 'tag', 1") }
            try await database.execute("select 'tag', 2")
            #expect(try await known() == ["1", "2"])
            try await database.execute("select 'tag', 1")
            _ = try await known()
            // The fourth takes the place of the second, which goes with the next one that is prepared.
            try await database.execute("select 'tag', 3")
            try await database.execute("select 'tag', 4")
            #expect(try await !known().contains("2"))
            #expect(try await known().count <= 4)
        }
    }

    @Test func `a plan that a change of the schema made invalid is made anew`() async throws {
        try await withDatabase {
            $0.pool.size = 1
        } _: { database in
            try await database.execute("create table plan (a int)")
            try await database.execute("insert into plan values (7)")
            #expect(try await database.one("select * from plan").count == 1)
            try await database.execute("alter table plan add column b int default 8")
            #expect(try await database.one("select * from plan").decode(Int.self, Int.self) == (7, 8))
        }
    }

    @Test func `in the middle of a transaction it cannot be, at its beginning it can`() async throws {
        try await withDatabase {
            $0.pool.size = 1
        } _: { database in
            try await database.execute("create table plan (a int)")
            try await database.execute("insert into plan values (7)")
            _ = try await database.one("select * from plan")
            try await TestDatabase.current.owner.execute("alter table plan add column b int")
            let error = try await databaseError {
                try await database.transaction { transaction in
                    try await transaction.execute("select 1")
                    _ = try await transaction.one("select * from plan")
                }
            }
            #expect(error.code == .planInvalidated && error.isRetryable)
            #expect(try await database.one("select * from plan").count == 2)
            try await TestDatabase.current.owner.execute("alter table plan add column c int")
            let columns = try await database.transaction { transaction in
                try await transaction.one("select * from plan").count
            }
            #expect(columns == 3)
        }
    }

    @Test func `a server that has forgotten its statements is told them again`() async throws {
        try await withDatabase {
            $0.pool.size = 1
        } _: { database in
            #expect(try await database.one("select \(5)").decode(Int.self) == 5)
            try await database.withConnection { try await $0.script("deallocate all") }
            #expect(try await database.one("select \(6)").decode(Int.self) == 6)
        }
    }

    // MARK: Pipeline

    @Test func `a pipeline answers each statement in order`() async throws {
        let results = try await TestDatabase.current.owner.pipeline((0..<500).map { "select \($0), 'x'" })
        #expect(try results.map { try $0[0].value(at: 0, as: Int.self) } == Array(0..<500))
        #expect(try await TestDatabase.current.owner.pipeline([]).isEmpty)
    }

    @Test func `a pipeline of one statement that is known already ends where it should`() async throws {
        try await withDatabase {
            $0.pool.size = 1
        } _: { database in
            for number in 0..<3 {
                let results = try await database.pipeline(["select \(number)"])
                #expect(try results.count == 1 && results[0][0].decode(Int.self) == number)
            }
            #expect(try await database.one("select 'plain'").decode(String.self) == "plain")
        }
    }

    @Test func `a pipeline outside of a transaction is all or nothing`() async throws {
        try await withDatabase {
            $0.pool.size = 1
        } _: { database in
            try await database.execute("create table t (id int primary key)")
            let backend = try await database.backend()
            let error = try await databaseError {
                _ = try await database.pipeline([
                    "insert into t values (1)", "insert into t values (2)", "insert into t values (1)",
                    "insert into t values (3)",
                ])
            }
            #expect(error.code == .uniqueViolation)
            #expect(try await database.one("select count(*) from t").decode(Int.self) == 0)
            #expect(try await database.backend() == backend, "the connection is usable afterwards")
        }
    }

    @Test func `a pipeline larger than all buffers does not stand still`() async throws {
        let text = String(repeating: "x", count: 100_000)
        let results = try await TestDatabase.current.owner.pipeline((0..<100).map { "select \($0), \(text)" })
        #expect(results.count == 100)
        #expect(try results[99][0].value(at: 1, as: String.self) == text)
    }

    @Test func `a value that cannot be said stops a pipeline before anything is sent`() async throws {
        let database = try TestDatabase.current.owner
        try await database.execute("create table t (v text)")
        let error = try await databaseError {
            _ = try await database.pipeline(["insert into t values ('a')", "insert into t values (\("\0"))"])
        }
        #expect(error.code == .encodingFailed)
        #expect(try await database.one("select count(*) from t").decode(Int.self) == 0)
    }
}

import Kernel
import NIOConcurrencyHelpers
import TestSupport
import Testing

@testable import Postgres

@Suite(.database()) struct TransactionTests {
    private struct Refusal: Error {}

    private func makeTable() async throws -> Database {
        let database = try TestDatabase.current.owner
        try await database.execute("create table t (id int primary key)")
        return database
    }

    private func ids(_ database: Database) async throws -> [Int] {
        try await database.query("select id from t order by id").map { try $0.decode(Int.self) }
    }

    @Test func `what returns is committed and what throws is rolled back`() async throws {
        let database = try await self.makeTable()
        let answer = try await database.transaction { transaction in
            try await transaction.execute("insert into t values (1)")
            try await transaction.execute("insert into t values (2)")
            return "done"
        }
        #expect(answer == "done")
        await #expect(throws: Refusal.self) {
            try await database.transaction { transaction in
                try await transaction.execute("insert into t values (3)")
                throw Refusal()
            }
        }
        #expect(try await self.ids(database) == [1, 2])
    }

    @Test(arguments: [
        (IsolationLevel.readCommitted, false), (.repeatableRead, true), (.serializable, false), (.serializable, true),
    ])
    func `isolation and read-only are as asked`(isolation: IsolationLevel, readOnly: Bool) async throws {
        let (level, only) = try await TestDatabase.current.owner.transaction(isolation: isolation, readOnly: readOnly) {
            try await $0.one(
                "select current_setting('transaction_isolation'), current_setting('transaction_read_only')"
            )
            .decode(String.self, String.self)
        }
        #expect(level == isolation.rawValue && only == (readOnly ? "on" : "off"))
    }

    @Test func `a transaction without statements sends none`() async throws {
        try await withDatabase {
            $0.pool.size = 1
        } _: { database in
            try await database.withConnection { connection in
                try await connection.transaction { _ in }
                #expect(connection.condition.value == .idle)
            }
            let committed = try await database.one(
                "select count(*) from pg_prepared_statements where statement = 'commit'")
            #expect(try committed.decode(Int.self) == 0)
        }
    }

    @Test func `a swallowed error of the server does not pass for a commit`() async throws {
        let database = try await self.makeTable()
        let error = try await databaseError {
            try await database.transaction { transaction in
                try await transaction.execute("insert into t values (1)")
                _ = try? await transaction.execute("insert into t values (1)")
            }
        }
        #expect(error.code == .transactionAborted)
        #expect(try await self.ids(database) == [])
    }

    @Test func `a statement that was never sent does not end the transaction before it began`() async throws {
        let database = try await self.makeTable()
        await #expect(throws: Refusal.self) {
            try await database.transaction { transaction in
                _ = try? await transaction.execute("select \("\0")")
                try await transaction.execute("insert into t values (1)")
                throw Refusal()
            }
        }
        #expect(try await self.ids(database) == [])
    }

    @Test func `a statement behind the end of the transaction is refused`() async throws {
        let database = try await self.makeTable()
        let error = try await databaseError {
            try await database.transaction { transaction in
                try await transaction.execute("insert into t values (1)")
                try await transaction.execute("commit")
                try await transaction.execute("insert into t values (2)")
            }
        }
        #expect(error.code == .misuse)
        #expect(try await self.ids(database) == [1])
    }

    @Test func `a transaction inside of another on the same connection is refused`() async throws {
        let error = try await databaseError {
            try await TestDatabase.current.owner.withConnection { connection in
                try await connection.transaction { transaction in
                    try await transaction.execute("select 1")
                    try await connection.transaction { _ in }
                }
            }
        }
        #expect(error.code == .misuse)
    }

    // MARK: Savepoints

    @Test func `a savepoint undoes its own part only`() async throws {
        let database = try await self.makeTable()
        try await database.transaction { transaction in
            try await transaction.execute("insert into t values (1)")
            await #expect(throws: Refusal.self) {
                try await transaction.savepoint { inner in
                    try await inner.execute("insert into t values (2)")
                    throw Refusal()
                }
            }
            try await transaction.savepoint { try await $0.execute("insert into t values (3)") }
        }
        #expect(try await self.ids(database) == [1, 3])
    }

    @Test func `a savepoint saves the transaction from an error of the server`() async throws {
        let database = try await self.makeTable()
        try await database.transaction { transaction in
            try await transaction.savepoint { try await $0.execute("insert into t values (1)") }
            let error = try await databaseError {
                try await transaction.savepoint { inner in
                    try await inner.savepoint { try await $0.execute("insert into t values (2)") }
                    try await inner.execute("insert into t values (1)")
                }
            }
            #expect(error.code == .uniqueViolation)
            try await transaction.execute("insert into t values (4)")
        }
        #expect(try await self.ids(database) == [1, 4])
    }

    // MARK: Actions after the commit

    @Test func `actions run once, in order, after the commit`() async throws {
        let database = try await self.makeTable()
        let heard = NIOLockedValueBox<[String]>([])
        try await database.transaction { transaction in
            transaction.afterCommit { heard.withLockedValue { $0.append("first") } }
            try await transaction.execute("insert into t values (1)")
            try await transaction.savepoint { inner in
                inner.afterCommit { heard.withLockedValue { $0.append("second") } }
            }
            transaction.afterCommit { heard.withLockedValue { $0.append("third") } }
            #expect(heard.withLockedValue { $0.isEmpty }, "not before the commit")
        }
        #expect(heard.withLockedValue { $0 } == ["first", "second", "third"])
    }

    @Test func `actions of what is rolled back are dropped`() async throws {
        let database = try await self.makeTable()
        let heard = NIOLockedValueBox<[String]>([])
        _ = try? await database.transaction { transaction in
            transaction.afterCommit { heard.withLockedValue { $0.append("of a failed transaction") } }
            try await transaction.execute("insert into t values (1)")
            throw Refusal()
        }
        try await database.transaction { transaction in
            transaction.afterCommit { heard.withLockedValue { $0.append("kept") } }
            _ = try? await transaction.savepoint { inner in
                inner.afterCommit { heard.withLockedValue { $0.append("of a failed savepoint") } }
                try await inner.savepoint { deeper in
                    deeper.afterCommit { heard.withLockedValue { $0.append("of a savepoint within") } }
                }
                throw Refusal()
            }
        }
        _ = try? await database.transaction { transaction in
            transaction.afterCommit { heard.withLockedValue { $0.append("of a failed commit") } }
            try await transaction.execute("insert into t values (2)")
            _ = try? await transaction.execute("insert into t values (2)")
        }
        #expect(heard.withLockedValue { $0 } == ["kept"])
    }

    // MARK: Cancellation

    @Test func `a task cancelled inside a transaction commits nothing and its connection lives on`() async throws {
        let database = try await self.makeTable()
        try await withDatabase {
            $0.pool.size = 1
        } _: { pool in
            let backend = try await pool.backend()
            let task = Task {
                try await pool.transaction { transaction in
                    try await transaction.execute("insert into t values (1)")
                    try await transaction.execute("select pg_sleep(600)")
                }
            }
            try await database.waitUntilRuns("pg_sleep")
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(try await pool.backend() == backend, "the same session, at rest")
        }
        #expect(try await self.ids(database) == [])
    }

    @Test(arguments: [false, true])
    func `a commit that is under way is awaited, cancelled or not`(hasLast: Bool) async throws {
        let owner = try TestDatabase.current.owner
        // What a deferred trigger does, it does inside of the commit: here it waits for a lock of ours.
        try await owner.execute("create table slow (id int)")
        try await owner.execute(
            """
            create function wait_for_us() returns trigger language plpgsql as $$
            begin
                perform pg_advisory_xact_lock(607);
                return null;
            end $$
            """)
        try await owner.execute(
            """
            create constraint trigger wait_for_us
                after insert on slow
                deferrable initially deferred
                for each row execute function wait_for_us()
            """)
        try await withDatabase {
            $0.pool.size = 1
        } _: { pool in
            try await owner.withConnection { ours in
                try await ours.execute("select pg_advisory_lock(607)")
                let task = Task {
                    try await pool.transaction { transaction in
                        try await transaction.execute("insert into slow values (1)")
                        if hasLast { transaction.last("insert into slow values (2)") }
                    }
                }
                try await owner.waitUntilRuns("commit")
                task.cancel()
                // Long enough for a cancel to arrive, if one were sent.
                for _ in 0..<50 { try await ours.execute("select 1") }
                try await ours.execute("select pg_advisory_unlock(607)")
                try await task.value
            }
        }
        let count = try await owner.one("select count(*) from slow").decode(Int.self)
        #expect(count == (hasLast ? 2 : 1))
    }

    @Test func `a task cancelled between its statements commits nothing`() async throws {
        let database = try await self.makeTable()
        let (inside, cancelled) = (Signal<Void>(), Signal<Void>())
        let task = Task {
            try await database.transaction { transaction in
                try await transaction.execute("insert into t values (1)")
                inside.send()
                // Waits even when cancelled, as a call that knows nothing of cancellation does.
                await withCheckedContinuation { continuation in
                    Task {
                        try await cancelled.next()
                        continuation.resume()
                    }
                }
            }
        }
        try await inside.next()
        task.cancel()
        cancelled.send()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try await self.ids(database) == [])
    }

    @Test func `serializable transactions that clash are told to try again`() async throws {
        let database = try await self.makeTable()
        let error = try await databaseError {
            try await database.transaction(isolation: .serializable) { first in
                _ = try await first.query("select count(*) from t")
                try await database.transaction(isolation: .serializable) { second in
                    _ = try await second.query("select count(*) from t")
                    try await second.execute("insert into t values (1)")
                }
                try await first.execute("insert into t values (2)")
            }
        }
        #expect(error.code == .serializationFailure && error.isRetryable)
    }
}

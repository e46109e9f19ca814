import Postgres
import TestSupport
import Testing

/// What is said to be a transaction's last statement goes out with its commit.
@Suite(.database(), .capturedLogs)
struct TransactionLastTests {
    private struct Refused: Error {}

    private func prepare() async throws -> Database {
        let database = try TestDatabase.current.owner
        try await database.execute("create table note (text text primary key)")
        return database
    }

    private func notes(_ database: Database) async throws -> [String] {
        try await database.query("select text from note order by text").map { try $0.value(at: 0) }
    }

    @Test func `last statements are committed, in their order, behind all others`() async throws {
        let database = try await self.prepare()
        try await database.transaction { transaction in
            transaction.last("update note set text = text || '!'")
            transaction.last("update note set text = text || '?'")
            try await transaction.execute("insert into note values ('a')")
        }
        #expect(try await self.notes(database) == ["a!?"])
    }

    @Test func `a transaction of nothing but a last statement is one`() async throws {
        let database = try await self.prepare()
        try await database.transaction { $0.last("insert into note values ('only')") }
        #expect(try await self.notes(database) == ["only"])
    }

    @Test func `a last statement that fails takes everything with it, and the connection goes on`() async throws {
        let database = try await self.prepare()
        let committed = Signal<Void>()
        for _ in 1...10 {
            await #expect(throws: DatabaseError.self) {
                try await database.transaction { transaction in
                    transaction.afterCommit { committed.send() }
                    transaction.last("insert into note values ('twice'), ('twice')")
                    try await transaction.execute("insert into note values ('a')")
                }
            }
        }
        #expect(try await self.notes(database).isEmpty)
        await #expect(throws: NeverHappened.self) { try await committed.next(within: .zero) }
    }

    @Test func `last statements are dropped with their savepoint and with their transaction`() async throws {
        let database = try await self.prepare()
        try await database.transaction { transaction in
            transaction.last("insert into note values ('kept')")
            try? await transaction.savepoint { inner in
                inner.last("insert into note values ('dropped')")
                throw Refused()
            }
        }
        try? await database.transaction { transaction in
            transaction.last("insert into note values ('never')")
            throw Refused()
        }
        #expect(try await self.notes(database) == ["kept"])
    }
}

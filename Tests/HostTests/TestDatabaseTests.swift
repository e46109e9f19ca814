import Postgres
import TestSupport
import Testing

@Suite(.database()) struct TestDatabaseTests {
    @Test(arguments: [1, 2]) func `each test has a database that nobody else sees`(_: Int) async throws {
        let database = try TestDatabase.current
        // The second case would fail here if it saw the table of the first.
        try await database.owner.execute("create table seen (id bigint)")
        let name = try await database.owner.one("select current_database()").decode(String.self)
        #expect(name == database.name)
    }

    @Test func `a server of our own runs at least PostgreSQL 15`() async throws {
        let version = try await TestDatabase.current.owner.one("select current_setting('server_version_num')::integer")
            .decode(Int.self)
        #expect(version >= 150_000)
    }
}

@Suite struct TestDatabaseWithoutTraitTests {
    @Test func `a test without the trait is told so`() throws {
        #expect(throws: NeverHappened.self) { try TestDatabase.current }
    }
}

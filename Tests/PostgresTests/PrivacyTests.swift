import Kernel
import TestSupport
import Testing

@testable import Postgres

/// What a member has entrusted to us stays out of everything that may be printed.
@Suite(.database(), .capturedLogs) struct PrivacyTests {
    private static let secret = "Иванова+79161234567"

    private func texts(_ error: any Error) -> String {
        var dumped = ""
        dump(error, to: &dumped)
        return "\(error) \(String(reflecting: error)) \(dumped)"
    }

    @Test func `no error of the server quotes data`() async throws {
        let database = try TestDatabase.current.owner
        try await database.execute(
            "create table person (phone text primary key, age int constraint adult check (age > 17), note varchar(5))")
        try await database.execute("insert into person values (\(Self.secret), 20)")
        let provocations: [SQL] = [
            "insert into person values (\(Self.secret), 20)", "insert into person values (\(Self.secret + "2"), 5)",
            "select \(Self.secret)::int", "insert into person values ('x', 20, \(Self.secret))",
            "do $$ begin raise exception '%', (select phone from person); end $$", "select \(Self.secret)::text::jsonb",
        ]
        for sql in provocations {
            let error = try await databaseError { try await database.execute(sql) }
            #expect(!self.texts(error).contains("7916"), "\(sql)")
            #expect((error.message ?? "" + (error.detail ?? "")) != "", "what the server said is there for who asks")
        }
        #expect(!CapturedLogs.text.contains("7916"))
    }

    @Test func `no error of the client quotes data`() async throws {
        let database = try TestDatabase.current.owner
        let row = try await database.one("select \(Self.secret) as phone")
        for error in [
            await failure { _ = try row.value("phone", as: Int.self) },
            await failure { _ = try row.value("phone", as: PhoneNumber.self) },
            await failure { _ = try await database.run("select \(Self.secret + "\0")") },
        ] {
            #expect(!self.texts(try #require(error)).contains("7916"))
        }
    }

    @Test func `a refused password is not in the error`() async throws {
        let error = try await databaseError {
            try await withDatabase {
                $0.conninfo += " password='7916secret'"
                $0.user = "no_such_role"
            } _: {
                _ = try await $0.backend()
            }
        }
        #expect(!self.texts(error).contains("7916"))
        #expect(!CapturedLogs.text.contains("7916"))
        // The server's sentence names the role; its code says enough.
        #expect(error.code == .authenticationFailed)
        #expect(!self.texts(error).contains("no_such_role"))
    }
}

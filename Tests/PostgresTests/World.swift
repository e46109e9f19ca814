import Kernel
import Logging
import TestSupport
import Testing

@testable import Postgres

/// A pool of its own on the present test's database, shut down at the end.
func withDatabase<R: Sendable>(
    _ change: (inout DatabaseConfiguration) -> Void = { _ in }, _ body: (Database) async throws -> R
) async throws -> R {
    let current = try TestDatabase.current
    var configuration = current.configuration()
    change(&configuration)
    let database = Database(configuration, reactor: current.reactor, logger: CapturedLogs.logger)
    let result: Result<R, any Error>
    do {
        result = .success(try await body(database))
    } catch {
        result = .failure(error)
    }
    await database.shutdown()
    return try result.get()
}

extension Database {
    /// The server process behind the connection that is lent next, when the pool has one.
    func backend() async throws -> Int {
        try await self.one("select pg_backend_pid()").decode(Int.self)
    }

    /// Waits until a statement with this text runs on the server.
    func waitUntilRuns(_ text: String) async throws {
        try await eventually("a statement like \(text) runs") {
            try await self.one(
                """
                select exists (
                    select from pg_stat_activity
                    where state = 'active'
                      and query like \("%\(text)%")
                      and pid <> pg_backend_pid()
                      and datname = current_database()
                )
                """
            ).decode(Bool.self)
        }
    }

    /// Ends sessions whose last statement is like this from the server's side.
    func terminate(like text: String) async throws {
        try await self.execute(
            """
            select pg_terminate_backend(pid)
            from pg_stat_activity
            where query like \("%\(text)%")
              and pid <> pg_backend_pid()
              and datname = current_database()
            """)
    }
}

/// What a throwing piece of work threw.
func failure<R>(of body: () async throws -> R) async -> (any Error)? {
    do {
        _ = try await body()
        return nil
    } catch {
        return error
    }
}

func databaseError<R>(of body: () async throws -> R) async throws -> DatabaseError {
    try #require(await failure(of: body) as? DatabaseError)
}

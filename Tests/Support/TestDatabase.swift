public import Kernel
internal import NIOConcurrencyHelpers
public import Postgres
public import Testing

/// The database of the present test: its own, migrated, on a real server, and dropped afterwards.
///
/// ```swift
/// @Suite(.database(JobQueueMigrations.set, LedgerModule.migrations)) struct PostingTests {
///     @Test func `a receipt is posted once`() async throws {
///         let database = try TestDatabase.current.database(for: "ledger")
/// ```
public final class TestDatabase: Sendable {
    @TaskLocal private static var bound: TestDatabase?

    /// The one that the trait `.database(…)` made.
    public static var current: TestDatabase {
        get throws {
            guard let bound = Self.bound else {
                throw NeverHappened(description: "This test has no database: give it or its suite .database(…)")
            }
            return bound
        }
    }

    /// Its name in the cluster.
    public let name: String
    /// The server that it lives in.
    public let cluster: TestCluster
    /// The reactor that all databases of the tests share.
    public var reactor: Reactor { self.cluster.reactor }
    private let pools = NIOLockedValueBox<[String: Database]>([:])

    private init(name: String, cluster: TestCluster) {
        self.name = name
        self.cluster = cluster
    }

    /// How a service connects; nil is the owner, who may do everything.
    public func configuration(
        for service: ServiceName? = nil, pool: PoolLimits = PoolLimits(size: 4)
    ) -> DatabaseConfiguration {
        self.cluster.configuration(database: self.name, user: service?.role, pool: pool)
    }

    /// The pool of a service's role; the same one each time, closed when the test is over.
    public func database(for service: ServiceName) -> Database {
        self.pool(service)
    }

    /// The pool of the owner, for arranging and for looking behind the scenes.
    public var owner: Database {
        self.pool(nil)
    }

    private func pool(_ service: ServiceName?) -> Database {
        self.pools.withLockedValue { pools in
            let key = service?.text ?? ""
            if let known = pools[key] { return known }
            let made = Database(
                self.configuration(for: service), reactor: self.reactor, logger: CapturedLogs.logger)
            pools[key] = made
            return made
        }
    }

    /// Makes a database, runs the body with it as ``current``, and drops it.
    static func with(
        _ migrations: [MigrationSet], _ body: @concurrent @Sendable () async throws -> Void
    ) async throws {
        guard Self.bound == nil else {
            // Inside of another database's scope a place is taken already; waiting for a second could wait for ever.
            return try await Self.run(migrations, body)
        }
        try await TestCluster.databaseGate.pass { try await Self.run(migrations, body) }
    }

    private static func run(
        _ migrations: [MigrationSet], _ body: @concurrent @Sendable () async throws -> Void
    ) async throws {
        let cluster = try await TestCluster.shared
        let database = TestDatabase(name: try await cluster.makeDatabase(migrations), cluster: cluster)
        let result: Result<Void, any Error>
        do {
            result = .success(try await Self.$bound.withValue(database, operation: body))
        } catch {
            result = .failure(error)
        }
        for pool in database.pools.withLockedValue({ $0.values.map { $0 } }) { await pool.shutdown() }
        try await cluster.dropDatabase(database.name)
        try result.get()
    }
}

/// Gives a test, or each test of a suite, a ``TestDatabase``.
public struct DatabaseTrait: TestTrait, SuiteTrait, TestScoping {
    let migrations: [MigrationSet]
    public let isRecursive: Bool

    public func provideScope(
        for test: Test, testCase: Test.Case?, performing body: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await TestDatabase.with(self.migrations, body)
    }
}

extension Trait where Self == DatabaseTrait {
    /// A database of its own for each test, with these migrations applied in this order.
    public static func database(_ migrations: MigrationSet...) -> Self {
        DatabaseTrait(migrations: migrations, isRecursive: true)
    }

    /// One database for all tests of a suite: for suites that only read, or whose tests keep out of each other's way.
    public static func sharedDatabase(_ migrations: MigrationSet...) -> Self {
        DatabaseTrait(migrations: migrations, isRecursive: false)
    }
}

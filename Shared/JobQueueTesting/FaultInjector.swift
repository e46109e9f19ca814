public import Kernel
public import Postgres

/// Does to a test's database what the world does to a real one. It changes the functions and tables of the queue, so the
/// database must be the test's own, and the connection that of its owner.
public struct FaultInjector: Sendable {
    private let database: Database

    /// Over the owner's connection.
    public init(_ database: Database) {
        self.database = database
    }

    /// Bells are lost from now on: they wake nobody, and whoever sleeps believes that it will be woken.
    public func dropBells() async throws {
        try await self.cause("bell", "return;")
    }

    /// Every bell rings for all services from now on, and twice, whether there is something to do or not.
    public func multiplyBells() async throws {
        try await self.cause(
            "bell",
            """
            perform pg_notify('queue_' || q.owner_service, 'work ' || n)
            from (select distinct owner_service from queue.queue) q, generate_series(1, 2) n;
            """)
    }

    /// Bells ring as they should again.
    public func repairBells() async throws {
        try await self.cause("bell", "")
    }

    /// Every commit that ends jobs takes so long for each of them from now on, with its locks held; zero ends it.
    public func slowDownCommits(by delay: Duration) async throws {
        let milliseconds = delay / Duration.milliseconds(1)
        try await self.cause("slow", "\(milliseconds / 1000)")
    }

    private func cause(_ fault: String, _ value: String) async throws {
        try await self.database.execute(TestingStatements.installFaults)
        try await self.database.execute(TestingStatements.fault(fault, value))
    }

    /// Ends the control sessions of all living workers of a service, as a broken connection would.
    /// - Returns: how many there were.
    @discardableResult
    public func killSessions(of service: ServiceName) async throws -> Int {
        Int(try await self.database.one(TestingStatements.killSessions(service)).value(at: 0, as: Int64.self))
    }
}

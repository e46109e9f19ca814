import JobQueue
import JobQueueTesting
import Kernel
import Postgres
import TestSupport

/// The implementations of the bus that every test of ``ConformanceTests`` is asked of.
enum DriverKind: String, Sendable, CaseIterable {
    case memory, postgres

    /// Lends a fresh driver; the one of a real bus works in the database of the present test.
    func lend<R>(_ body: (any QueueDriver) async throws -> R) async throws -> R {
        switch self {
        case .memory:
            return try await body(MemoryDriver())
        case .postgres:
            let world = try await World.make()
            return try await PostgresDriver.with("alpha", world.database("alpha"), owner: world.owner) {
                try await body($0)
            }
        }
    }
}

/// A driver with two workers and one queue, and a hand that numbers jobs.
struct Stage {
    let driver: any QueueDriver
    let queue: Int16
    let workers: [Int32]
    private let first = newJobIDs()

    init(_ driver: any QueueDriver, _ policy: QueuePolicy) async throws {
        self.driver = driver
        self.queue = try await driver.declare(policy)
        self.workers = [try await driver.register(), try await driver.register()]
    }

    /// The id of the n-th job.
    func id(_ number: Int) -> Int64 { self.first + Int64(number) }

    func send(_ number: Int, key: String? = nil, priority: Int16 = 2, delay: Duration = .zero) async throws {
        try await self.driver.send(
            SentJob(self.id(number), to: self.queue, key: key, priority: priority, delay: delay))
    }

    /// Claims by the first worker, or another.
    @discardableResult
    func look(_ limit: Int = 100, by worker: Int = 0) async throws -> [Claim] {
        try await self.driver.look(self.workers[worker], at: self.queue, limit: limit)
    }

    /// Claims, as the numbers of their jobs.
    func numbers(_ limit: Int = 100, by worker: Int = 0) async throws -> [Int] {
        try await self.look(limit, by: worker).map { Int($0.id - self.first) }
    }

    func claim(_ number: Int, attempt: Int16 = 1) -> Claim { Claim(self.id(number), attempt: attempt) }

    func complete(_ number: Int, attempt: Int16 = 1, by worker: Int = 0) async throws {
        try await self.driver.complete(self.workers[worker], self.claim(number, attempt: attempt))
    }

    @discardableResult
    func fail(
        _ number: Int, attempt: Int16 = 1, by worker: Int = 0, permanently: Bool = false
    ) async throws -> Aftermath {
        try await self.driver.fail(
            self.workers[worker], self.claim(number, attempt: attempt), permanently: permanently)
    }

    /// Time passes, and what is due is promoted.
    func wait(hours: Int64) async throws {
        try await self.driver.advance(by: .seconds(hours * 3600))
        try await self.driver.promote()
    }

    /// `running 1 by 1`, and so on.
    func place(_ number: Int) async throws -> String {
        let snapshot = try await self.driver.snapshot()
        return snapshot.jobs[self.id(number)]?.description ?? "nowhere"
    }

    func places(_ numbers: ClosedRange<Int>) async throws -> [String] {
        let snapshot = try await self.driver.snapshot()
        return numbers.map { snapshot.jobs[self.id($0)]?.description ?? "nowhere" }
    }
}

/// Ids for the jobs of one test: of the present millisecond, as a bus wants them.
func newJobIDs() -> Int64 {
    (SystemClock().now.microseconds / 1000) << 20
}

public import Kernel
public import Postgres

/// What an operator sees and does. Over a connection of the owner it reaches all queues; over a service's role only that
/// service's. What it does is kept in `queue.audit` with the reason given.
public struct QueueAdministration: Sendable {
    let database: Database

    /// Over this connection's rights.
    public init(_ database: Database) {
        self.database = database
    }

    /// How all queues stand, by name.
    public func stats() async throws -> [QueueStatus] {
        try await self.database.query("select * from queue.stats()", as: QueueStatus.self)
    }

    /// How one queue stands; nil when there is none of that name.
    public func stats(of queue: QueueName) async throws -> QueueStatus? {
        try await self.database.first("select * from queue.stats() where name = \(queue.text)", as: QueueStatus.self)
    }

    /// Dead jobs that were not redriven, the newest first.
    /// - Parameter before: the last job of the page before.
    /// - Throws: ``QueueAdministrationError/unknownQueue(_:)``.
    public func dead(in queue: QueueName, limit: Int = 50, before: JobID? = nil) async throws -> [DeadJob] {
        let number = try await self.number(of: queue)
        return try await self.database.query(
            "select * from queue.dead(\(number), \(Int32(clamping: limit)), \(before?.raw))", as: DeadJob.self)
    }

    /// Runs dead jobs again, with all their attempts before them.
    /// - Returns: how many; jobs that are not dead any more are passed over.
    /// - Throws: ``QueueAdministrationError/unknownQueue(_:)``.
    @discardableResult
    public func redrive(_ jobs: [JobID], in queue: QueueName, reason: String) async throws -> Int {
        let number = try await self.number(of: queue)
        let row = try await self.database.one(
            "select queue.redrive(\(number), \(jobs.map(\.raw)), \(reason))")
        try await self.ring(number)
        return Int(try row.value(at: 0, as: Int32.self))
    }

    /// Runs all dead jobs of a queue again.
    /// - Returns: how many.
    /// - Throws: ``QueueAdministrationError/unknownQueue(_:)``.
    @discardableResult
    public func redriveAll(in queue: QueueName, reason: String) async throws -> Int {
        var count = 0
        while true {
            let page = try await self.dead(in: queue, limit: 500)
            let redriven = try await self.redrive(page.map(\.id), in: queue, reason: reason)
            guard redriven > 0 else { return count }
            count += redriven
        }
    }

    /// Nothing of the queue is begun any more, by nobody, from now on. What runs may end.
    /// - Throws: ``QueueAdministrationError/unknownQueue(_:)``.
    public func pause(_ queue: QueueName, reason: String) async throws {
        try await self.database.execute("select queue.pause(\(try await self.number(of: queue)), \(reason))")
    }

    /// The queue goes on, at once.
    /// - Throws: ``QueueAdministrationError/unknownQueue(_:)``.
    public func resume(_ queue: QueueName, reason: String) async throws {
        let number = try await self.number(of: queue)
        try await self.database.execute("select queue.resume(\(number), \(reason))")
        try await self.ring(number)
    }

    /// Where a job has been and where it is, in order; empty when there is no such job.
    public func trail(of job: JobID) async throws -> [JobStation] {
        try await self.database.query("select * from queue.show(\(job.raw))", as: JobStation.self)
    }

    func number(of queue: QueueName) async throws -> Int16 {
        guard let status = try await self.stats(of: queue) else {
            throw QueueAdministrationError.unknownQueue(queue)
        }
        return status.number
    }

    func ring(_ queue: Int16) async throws {
        try await self.database.execute(LifeStatements.bell(queues: [queue], instances: []))
    }
}

/// Why the administration did nothing.
public enum QueueAdministrationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Nobody has declared it or sent to it; or it belongs to another service.
    case unknownQueue(QueueName)
    /// Its owner has never declared it.
    case unknownPeriodicJob(PeriodicName)

    public var description: String {
        switch self {
        case .unknownQueue(let queue): "There is no queue \(queue)."
        case .unknownPeriodicJob(let job): "There is no periodic job \(job)."
        }
    }
}

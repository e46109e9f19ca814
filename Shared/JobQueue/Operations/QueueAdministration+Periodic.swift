public import Kernel
public import Postgres

/// Periodic jobs, for an operator.
extension QueueAdministration {
    /// All periodic jobs, by name.
    public func periodicJobs() async throws -> [PeriodicStatus] {
        try await self.database.query(PeriodicStatements.list, as: PeriodicStatus.self)
    }

    /// Nothing of it is sent any more until it is resumed.
    /// - Throws: ``QueueAdministrationError/unknownPeriodicJob(_:)``.
    public func pausePeriodic(_ job: PeriodicName, reason: String) async throws {
        _ = try await self.naming(job) { try await $0.execute(PeriodicStatements.pause(job, reason: reason)) }
    }

    /// It goes on with its next moment; what came due meanwhile is not made up for.
    /// - Throws: ``QueueAdministrationError/unknownPeriodicJob(_:)``.
    public func resumePeriodic(_ job: PeriodicName, reason: String) async throws {
        _ = try await self.naming(job) { try await $0.execute(PeriodicStatements.resume(job, reason: reason)) }
    }

    /// One job at once, beside the schedule, which does not move. Of a paused one too.
    /// - Throws: ``QueueAdministrationError/unknownPeriodicJob(_:)``.
    @discardableResult
    public func runPeriodicNow(_ job: PeriodicName, reason: String) async throws -> JobID {
        let row = try await self.naming(job) { try await $0.one(PeriodicStatements.runNow(job, reason: reason)) }
        try await self.ring(try row.value(at: 1))
        return JobID(try row.value(at: 0, as: Int64.self))
    }

    /// When it is due next, as many times as there are, at most `count`.
    /// - Throws: ``QueueAdministrationError/unknownPeriodicJob(_:)``.
    public func nextMoments(of job: PeriodicName, count: Int) async throws -> [Timestamp] {
        try await self.naming(job) { database in
            try await database.query(PeriodicStatements.preview(job, count: count)).map { try $0.value(at: 0) }
        }
    }

    private func naming<R>(_ job: PeriodicName, _ body: (Database) async throws -> R) async throws -> R {
        do {
            return try await body(self.database)
        } catch let error as DatabaseError where error.sqlState == "QL008" {
            throw QueueAdministrationError.unknownPeriodicJob(job)
        }
    }
}

/// How a periodic job stands.
public struct PeriodicStatus: Sendable, Codable, RowDecodable {
    public let name: PeriodicName
    public let owner: ServiceName
    /// Where its jobs go.
    public let queue: QueueName
    /// The name of the message.
    public let kind: String
    /// As the source has it.
    public let schedule: String
    public let timeZone: String
    /// `skip`, `one` or `all`.
    public let catchUp: String
    /// With `all`: at most so many.
    public let catchUpMax: Int
    /// When it is due next; nil when there is no such moment.
    public let nextAt: Timestamp?
    /// The moment for which the last job was sent.
    public let lastAt: Timestamp?
    public let lastJob: JobID?
    /// How the last attempt of that job ended: `completed`, `failed`, `dead`, `lost`; nil while none has.
    public let lastOutcome: String?
    /// Since when; nil while it runs.
    public let pausedAt: Timestamp?
    /// A process of the owner has stated it within a day. What is not declared is not fired.
    public let isDeclared: Bool

    /// Reads a row of `queue.list_periodic`.
    public init(row: Row) throws {
        guard let name = PeriodicName(try row.value("name", as: String.self)),
            let owner = ServiceName(try row.value("owner_service", as: String.self)),
            let queue = QueueName(try row.value("queue", as: String.self))
        else { throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: PeriodicName.requirement)) }
        self.name = name
        self.owner = owner
        self.queue = queue
        self.kind = try row.value("kind")
        self.schedule = try row.value("schedule_text")
        self.timeZone = try row.value("time_zone")
        self.catchUp = try row.value("catch_up")
        self.catchUpMax = Int(try row.value("catch_up_max", as: Int32.self))
        self.nextAt = try row.value("next_at")
        self.lastAt = try row.value("last_at")
        self.lastJob = try row.value("last_job", as: Int64?.self).map { JobID($0) }
        self.lastOutcome = try row.value("last_outcome")
        self.pausedAt = try row.value("paused_at")
        self.isDeclared = try row.value("is_declared")
    }
}

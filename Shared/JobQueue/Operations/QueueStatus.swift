public import Kernel
public import Postgres

/// How a queue stands.
public struct QueueStatus: Sendable, Codable, RowDecodable {
    let number: Int16
    public let name: QueueName
    public let owner: ServiceName
    /// Since when; nil while it runs.
    public let pausedAt: Timestamp?
    /// Jobs that can run now, or arrive.
    public let ready: Int
    /// Jobs that wait for their time: delayed, or to be tried again.
    public let deferred: Int
    /// Jobs that are claimed. Batches in progress are still counted as ready.
    public let running: Int
    /// Jobs that wait behind another one of their key.
    public let blocked: Int
    /// Jobs that were given up and not redriven.
    public let dead: Int
    /// Keys that stopped at a dead job and wait for a person.
    public let halted: Int
    /// How many were ever sent.
    public let sent: Int
    /// How many have completed.
    public let completed: Int
    /// How long ago the oldest ready job was sent; nil when none is ready.
    public let oldestReady: Duration?
    /// Living processes of the owner.
    public let workers: Int

    /// Reads a row of `queue.stats`.
    public init(row: Row) throws {
        self.number = try row.value("id")
        guard let name = QueueName(try row.value("name", as: String.self)),
            let owner = ServiceName(try row.value("owner_service", as: String.self))
        else { throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: QueueName.requirement)) }
        self.name = name
        self.owner = owner
        self.pausedAt = try row.value("paused_at")
        self.ready = try row.value("ready")
        self.deferred = try row.value("deferred")
        self.running = try row.value("running")
        self.blocked = try row.value("blocked")
        self.dead = try row.value("dead")
        self.halted = try row.value("halted")
        self.sent = try row.value("sent")
        self.completed = try row.value("completed")
        self.oldestReady = try row.value("oldest_ready_ms", as: Int64?.self).map { .milliseconds($0) }
        self.workers = try row.value("workers")
    }
}

/// A job that was given up.
public struct DeadJob: Sendable, Codable, RowDecodable {
    public let id: JobID
    /// The name of its message.
    public let kind: String
    public let attempts: Int
    /// When it was given up.
    public let at: Timestamp
    /// What went wrong the last time: kebab case.
    public let code: String
    public let detail: String?

    /// Reads a row of `queue.dead`.
    public init(row: Row) throws {
        self.id = JobID(try row.value("id", as: Int64.self))
        self.kind = try row.value("kind")
        self.attempts = Int(try row.value("attempt", as: Int16.self))
        self.at = try row.value("at")
        let error = try row.value("error", as: JSONB<[String: String]>?.self)?.value
        self.code = error?["code"] ?? "unknown"
        self.detail = error?["detail"]
    }
}

/// One station on the way of a job.
public struct JobStation: Sendable, Codable, RowDecodable {
    public let queue: String
    public let kind: String
    /// `ready`, `deferred`, `running`, or how an attempt ended: `completed`, `failed`, `dead`, `lost`.
    public let place: String
    public let attempt: Int
    /// When it got there; of a deferred job when it is due, of a running one when its lease ends.
    public let at: Timestamp?
    public let code: String?

    /// Reads a row of `queue.show`.
    public init(row: Row) throws {
        self.queue = try row.value("queue")
        self.kind = try row.value("kind")
        self.place = try row.value("place")
        self.attempt = Int(try row.value("attempt", as: Int16.self))
        self.at = try row.value("at")
        self.code = try row.value("error", as: JSONB<[String: String]>?.self)?.value["code"]
    }
}

public import Kernel
public import Postgres

/// What an operator sees and does about single jobs and keys.
extension QueueAdministration {
    /// Jobs that have not ended, the first ones of each place.
    /// - Throws: ``QueueAdministrationError/unknownQueue(_:)``.
    public func jobs(in queue: QueueName, limit: Int = 20) async throws -> [WaitingJob] {
        let number = try await self.number(of: queue)
        return try await self.database.query(
            "select * from queue.jobs(\(number), \(Int32(clamping: limit)))", as: WaitingJob.self)
    }

    /// Why a job is not running, the nearest reason first; empty when it runs or has ended.
    public func reasons(whyNot job: JobID) async throws -> [WaitReason] {
        try await self.database.query("select * from queue.why(\(job.raw))", as: WaitReason.self)
    }

    /// Ends a job that has not ended. One that runs is told to stop.
    public func cancel(_ job: JobID, reason: String) async throws -> Cancellation {
        let row = try await self.database.one("select queue.cancel(\(job.raw), \(reason))")
        let answer = Cancellation(rawValue: try row.value(at: 0, as: String.self)) ?? .outOfReach
        // After the commit and in a transaction of its own, as everything that notifies.
        if answer == .asked { try await self.database.execute("select queue.bell_cancel(\([job.raw]))") }
        return answer
    }

    /// Keys that stopped at a dead job, the longest first.
    /// - Throws: ``QueueAdministrationError/unknownQueue(_:)``.
    public func haltedKeys(in queue: QueueName, limit: Int = 50) async throws -> [HaltedKey] {
        let number = try await self.number(of: queue)
        return try await self.database.query(
            "select * from queue.halted_keys(\(number), \(Int32(clamping: limit)))", as: HaltedKey.self)
    }

    /// Leaves a dead job dead and lets the next one of its key run.
    /// - Returns: whether it held up its key.
    /// - Throws: ``QueueAdministrationError/unknownQueue(_:)``.
    public func skip(_ job: JobID, in queue: QueueName, reason: String) async throws -> Bool {
        let number = try await self.number(of: queue)
        let row = try await self.database.one("select queue.skip(\(number), \(job.raw), \(reason))")
        try await self.ring(number)
        return try row.value(at: 0)
    }

    /// How far a long job says it is; nil when it says nothing.
    public func progress(of job: JobID) async throws -> JobProgress? {
        try await self.database.first(
            "select done, total, note from queue.progress_of(\(job.raw))", as: JobProgress.self)
    }
}

/// What became of the wish to end a job.
public enum Cancellation: String, Sendable, Codable {
    /// It will not run.
    case cancelled
    /// It runs, and was told to stop; in a few seconds it is taken away from its worker.
    case asked
    /// It has ended, is part of a batch at this moment, or does not exist.
    case outOfReach = "out of reach"
}

/// One reason why a job does not run.
public struct WaitReason: Sendable, Codable, Hashable, RowDecodable {
    public enum Code: String, Sendable, Codable {
        /// Its queue is paused.
        case paused
        /// No process of the owner is alive.
        case serviceDown = "service-down"
        /// Processes of the owner are alive, but none has declared the queue.
        case notSubscribed = "not-subscribed"
        /// It was put off.
        case notDue = "not-due"
        /// Its last attempt failed, and the next one is not due yet.
        case retry
        /// It has not been admitted yet.
        case arriving
        /// Another job of its key comes first.
        case keyBlocked = "key-blocked"
        /// It is dead at the head of its key, and waits for a person.
        case halted
        /// So many run as the queue allows.
        case limitFull = "limit-full"
        /// The queue has used up its tokens.
        case rate
        /// Others come before it.
        case behind
    }

    public let code: Code
    /// When this reason is expected to end, if that is known.
    public let until: Timestamp?
    /// The job that stands in the way.
    public let job: JobID?
    /// Where that job is.
    public let place: String?
    /// How many: jobs before it, jobs that run, attempts made.
    public let count: Int?

    /// Reads a row of `queue.why`.
    public init(row: Row) throws {
        let text = try row.value("reason", as: String.self)
        guard let code = Code(rawValue: text) else {
            throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "a reason \(text)"))
        }
        self.code = code
        self.until = try row.value("until")
        self.job = try row.value("by_job", as: Int64?.self).map { JobID($0) }
        self.place = try row.value("by_place")
        self.count = try row.value("n", as: Int64?.self).map { Int($0) }
    }

    /// A sentence for the person who asked.
    public var sentence: String {
        let ending = self.until.map { ", until \($0)" } ?? ""
        let jobs = self.count ?? 0
        return switch self.code {
        case .paused: "Its queue is paused: club queue resume lets it go on."
        case .serviceDown: "No process of the service that owns the queue is alive."
        case .notSubscribed: "The service runs, but no process of it has declared this queue."
        case .notDue: "It was put off\(ending)."
        case .retry: "Attempt \(jobs) failed; the next one waits\(ending)."
        case .arriving: "It waits to be admitted to its key, behind \(jobs) others."
        case .keyBlocked:
            "Job \(self.job.map { "\($0)" } ?? "?") of its key comes first (\(self.place ?? "?")\(ending)), "
                + "and \(jobs) more."
        case .halted: "It is dead at the head of its key, and \(jobs) wait behind it: skip or redrive it."
        case .limitFull:
            "\(jobs) run, as many as its queue allows; the oldest is job "
                + "\(self.job.map { "\($0)" } ?? "?")."
        case .rate: "Its queue has used up its rate\(ending)."
        case .behind: "\(jobs) jobs come before it\(self.until.map { "; at this pace it begins about \($0)" } ?? "")."
        }
    }
}

/// A job that has not ended.
public struct WaitingJob: Sendable, Codable, RowDecodable {
    public let id: JobID
    /// The name of its message.
    public let kind: String
    public let key: String?
    /// `running`, `ready`, `deferred`, `arrived`, `halted` or `blocked`.
    public let place: String
    /// Attempts made; nil when it does not matter any more.
    public let attempts: Int?
    /// When its lease ends, it is due, or it died.
    public let at: Timestamp?

    /// Reads a row of `queue.jobs`.
    public init(row: Row) throws {
        self.id = JobID(try row.value("id", as: Int64.self))
        self.kind = try row.value("kind")
        self.key = try row.value("key")
        self.place = try row.value("place")
        self.attempts = try row.value("attempt", as: Int16?.self).map { Int($0) }
        self.at = try row.value("at")
    }
}

/// A key whose jobs wait for a person.
public struct HaltedKey: Sendable, Codable, RowDecodable {
    public let key: String
    /// The dead job at its head.
    public let job: JobID
    public let since: Timestamp
    /// Jobs behind it.
    public let waiting: Int

    /// Reads a row of `queue.halted_keys`.
    public init(row: Row) throws {
        self.key = try row.value("key")
        self.job = JobID(try row.value("job_id", as: Int64.self))
        self.since = try row.value("since")
        self.waiting = try row.value("waiting")
    }
}

extension JobProgress: RowDecodable {
    /// Reads a row of `queue.progress_of`.
    public init(row: Row) throws {
        self.init(
            done: try row.value("done"), of: try row.value("total"), note: try row.value("note"))
    }
}

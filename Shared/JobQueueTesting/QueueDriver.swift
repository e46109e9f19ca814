/// The bus at the level of its functions, for tests that ask the same of every implementation.
///
/// Job ids are made by the caller and rise with the order of sending. Time passes with ``advance(by:)`` only. Every
/// operation is a transaction of its own.
public protocol QueueDriver: Sendable {
    /// Makes a queue or changes its policy. Answers its number.
    func declare(_ policy: QueuePolicy) async throws -> Int16
    /// A process joins. Answers its number.
    func register() async throws -> Int32
    /// The process is gone without a word: it holds no lock and its heart does not beat. Nobody has noticed yet.
    func kill(_ worker: Int32) async throws
    /// The process goes in good order: what it has claimed goes back.
    func leave(_ worker: Int32) async throws
    /// Time passes: whole hours, so that the minutes that a real database takes do not count.
    func advance(by duration: Duration) async throws

    /// One job.
    func send(_ job: SentJob) async throws
    /// Admits what has arrived, and claims at most `limit` jobs, in the order in which they were claimed.
    func look(_ worker: Int32, at queue: Int16, limit: Int) async throws -> [Claim]
    /// - Throws: ``QueueRefusal``: the claim is somebody else's by now.
    func complete(_ worker: Int32, _ claim: Claim) async throws
    /// The attempt failed.
    /// - Throws: ``QueueRefusal``: the claim is somebody else's by now.
    func fail(_ worker: Int32, _ claim: Claim, permanently: Bool) async throws -> Aftermath
    /// Later, without counting the attempt.
    /// - Throws: ``QueueRefusal``: the claim is somebody else's by now.
    func postpone(_ worker: Int32, _ claim: Claim, by delay: Duration) async throws
    /// Claimed but not run. Claims that are somebody else's are passed over.
    func giveBack(_ worker: Int32, _ claims: [Claim]) async throws

    /// A batch: admits, takes at most `limit` jobs that were never tried, and either finishes all or rolls back. Answers
    /// what it held.
    func batch(_ worker: Int32, of queue: Int16, limit: Int, commits: Bool) async throws -> [Int64]
    /// Says what the batch of a worker holds, to be counted if the worker dies.
    func announce(_ worker: Int32, of queue: Int16, _ ids: [Int64]) async throws
    /// After a batch rolled back: claims its jobs singly. Answers those that it got, by id.
    func isolate(_ worker: Int32, of queue: Int16, _ ids: [Int64]) async throws -> [Int64]

    /// What is due can run.
    func promote() async throws
    /// One round of the rescuer: dead processes, expired claims, cancellations that were not heard.
    func rescue(_ worker: Int32) async throws

    /// Ends a job that has not ended, or asks the worker that runs it to.
    func cancel(_ id: Int64) async throws -> Cancelling
    /// Dead jobs run again. Answers how many.
    func redrive(_ queue: Int16, _ ids: [Int64]) async throws -> Int
    /// Lets the key of a dead job go on without it. False: there is nothing to skip.
    func skip(_ queue: Int16, _ id: Int64) async throws -> Bool
    /// Nothing of the queue is claimed until it is resumed.
    func pause(_ queue: Int16) async throws
    /// Claims go on.
    func resume(_ queue: Int16) async throws

    /// A step of the storage; the jobs do not notice. Answers what `queue` answers, or what it would.
    func store(_ step: StorageStep) async throws -> String
    /// Where everything is.
    func snapshot() async throws -> QueueSnapshot
    /// Invariants that do not hold; none, whatever has happened.
    func violations() async throws -> [String]
}

/// What a queue is like. The names and meanings are those of `queue.queue`.
public struct QueuePolicy: Sendable, Hashable {
    /// `service.name`.
    public let name: String
    /// Jobs of one key at a time; nil: keys mean nothing.
    public var keyLimit: Int?
    /// Attempts, of which the last failure is final.
    public var attemptsMax: Int
    /// Workers a job may take down.
    public var lossesMax: Int
    /// From a failure to the next attempt, the same each time.
    public var backoff: Duration
    /// How long a claim lasts.
    public var lease: Duration
    /// Whether a dead job keeps the place of its key until a person decides.
    public var blocksOnDead: Bool

    /// A queue whose jobs have three attempts, an hour apart, and a lease of a day.
    public init(
        _ name: String, keyLimit: Int? = nil, attemptsMax: Int = 3, lossesMax: Int = 3,
        backoff: Duration = .seconds(3600), lease: Duration = .seconds(86_400), blocksOnDead: Bool = false
    ) {
        self.name = name
        self.keyLimit = keyLimit
        self.attemptsMax = attemptsMax
        self.lossesMax = lossesMax
        self.backoff = backoff
        self.lease = lease
        self.blocksOnDead = blocksOnDead
    }
}

/// A job on its way into a queue.
public struct SentJob: Sendable, Hashable {
    /// Higher than those that were sent before.
    public let id: Int64
    /// The number of the queue.
    public let queue: Int16
    /// Jobs of one key keep their order.
    public let key: String?
    /// 0 to 4; lower ones run first.
    public let priority: Int16
    /// Not before so much time has passed.
    public let delay: Duration

    /// A job that can run at once.
    public init(
        _ id: Int64, to queue: Int16, key: String? = nil, priority: Int16 = 2, delay: Duration = .zero
    ) {
        self.id = id
        self.queue = queue
        self.key = key
        self.priority = priority
        self.delay = delay
    }
}

/// What a worker was given. Together with the worker it is the fence.
public struct Claim: Sendable, Hashable {
    /// The job.
    public let id: Int64
    /// Which attempt this is, from 1.
    public let attempt: Int16

    /// The claim of a job's attempt.
    public init(_ id: Int64, attempt: Int16) {
        self.id = id
        self.attempt = attempt
    }
}

/// What a failure leads to.
public enum Aftermath: Int16, Sendable, Hashable {
    /// It will be tried again.
    case retry = 3
    /// It has ended without success.
    case dead = 4
    /// Somebody had asked for its end.
    case cancelled = 5
}

/// What came of the wish to end a job.
public enum Cancelling: String, Sendable, Hashable {
    /// It has ended.
    case cancelled
    /// It runs, and its worker is told.
    case asked
    /// It had ended before.
    case outOfReach = "out of reach"
}

/// Why an operation was not done. Nothing has changed.
public enum QueueRefusal: Error, Sendable, Hashable {
    /// `QL001`: the claim is not, or no longer, of this worker.
    case claimLost
    /// `QL004`: the worker never was, or was declared dead.
    case workerUnknown
}

/// What keeps the storage flat.
public enum StorageStep: Sendable, Hashable {
    /// Opens the next slot of the ring, however young the present one is.
    case rotate
    /// Empties a slot that has run empty.
    case sweep(slot: Int16)
    /// Rewrites a small table.
    case compact(table: String)
    /// A chore of `queue.keep_flat` that does not ask for the time: `sweep`, `compact` or `tidy`.
    case keepFlat(String)
}

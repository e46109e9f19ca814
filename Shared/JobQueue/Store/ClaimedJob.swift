internal import Kernel
internal import Postgres

/// A job that this worker has leased, or holds in the transaction of a batch.
struct ClaimedJob: Sendable {
    let id: JobID
    let attempt: Int16
    let queue: Int16
    let kind: String
    let version: Int
    let arguments: [UInt8]
    let headers: JobHeaders
    let cause: JobID?
    /// The process that waits for the answer.
    let replyTo: Int32?
    let deadline: Timestamp?
    /// Where it stood in its queue.
    let place: QueuePosition
    /// The number of its admission, when it holds a place of its key.
    var admission: Int64?
}

/// A place in the order of a queue.
struct QueuePosition: Sendable, Hashable {
    let priority: Int16
    let rank: Int64
}

/// What goes along with a message, as the bus writes it.
struct JobHeaders: Sendable, Equatable, Codable {
    var traceparent: String?
    /// The due moment of a periodic job.
    var scheduledFor: Timestamp?

    init(traceparent: String? = nil, scheduledFor: Timestamp? = nil) {
        self.traceparent = traceparent
        self.scheduledFor = scheduledFor
    }
}

/// What one look into the queues brought.
struct ClaimResult: Sendable {
    var jobs: [ClaimedJob] = []
    /// Batched queues in which there is something to take.
    var waiting: Set<Int16> = []
    /// Queues whose tokens are used up, and when it is worth looking again.
    var resting: [Int16: Duration] = [:]
}

/// What a worker asks for of one queue.
struct ClaimRequest: Sendable, Equatable {
    let queue: Int16
    let limit: Int
    let isBatched: Bool
    /// Whether to ask if there is something to take in batches; those that take them already find out themselves.
    var asks = true
    /// Where the search may begin; nil: at the beginning.
    var floor: QueuePosition?
}

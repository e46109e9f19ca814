public import Kernel
internal import Postgres

/// What a handler knows about the job besides its message, and what it can say about it while it works.
public struct JobContext: Sendable {
    public let id: JobID
    public let queue: QueueName
    /// From 1. A job that was given back by a worker that stopped in good order keeps its number.
    public let attempt: Int
    /// When the job was sent, by the clock of the database server.
    public let enqueuedAt: Timestamp
    /// The job in whose handler this one was sent.
    public let cause: JobID?
    /// The sender's place in its trace (W3C Trace Context).
    public let traceparent: String?
    /// Until when the caller waits for the answer, or the sender wanted the job to begin.
    public let deadline: Timestamp?
    /// The due moment for which a periodic job was sent; nil for other jobs. After an outage it can be long past.
    public let scheduledFor: Timestamp?
    /// The way back to the bus; nil for the jobs of a batch, which are too short for it.
    let tether: Tether?

    /// The job that the present task works on: what is sent meanwhile names it as its cause.
    @TaskLocal static var current: JobContext?

    /// Says how far the job is. Written at most once a second; what comes in between is dropped. Never fails.
    public func report(_ progress: JobProgress) async {
        await self.tether?.report(progress)
    }

    /// Asks for more time for a leased job: so long from now on.
    /// - Throws: ``JobFailure`` when the job was given to somebody else meanwhile; `DatabaseError`.
    public func extend(by time: Duration) async throws {
        try await self.tether?.extend(by: time)
    }

    /// Has this value kept with the job when it completes, for ``Bus/outcome(of:as:)``. The last one counts.
    /// - Throws: ``JobFailure`` when it cannot be written as JSON; ``EncryptionError``.
    public func keep(_ result: some Encodable) throws {
        try self.tether?.keep(RawJSON(MessageCoder.text(result)))
    }
}

/// A message and its context, as a batch has them.
public struct Job<M: Message>: Sendable {
    public let message: M
    public let context: JobContext
}

public import Kernel

/// What a handler knows about the job besides its message.
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
    /// Until when the caller waits for the answer.
    public let deadline: Timestamp?

    /// The job that the present task works on: what is sent meanwhile names it as its cause.
    @TaskLocal static var current: JobContext?
}

/// A message and its context, as a batch has them.
public struct Job<M: Message>: Sendable {
    public let message: M
    public let context: JobContext
}

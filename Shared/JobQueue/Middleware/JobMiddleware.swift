public import Kernel

/// What happens around all jobs of a bus, whatever their kind. There are three points; each does nothing by default.
///
/// ```swift
/// struct Tenants: JobMiddleware {
///     func run(_ jobs: [JobContext], of kind: String, _ handler: () async throws -> Void) async throws {
///         try await Tenant.$current.withValue(…) { try await handler() }
///     }
/// }
/// let bus = Bus(…, middleware: [Tenants()])
/// ```
///
/// The first one of the list is the outermost: its `send` and its `run` enclose the others', and of the end of a job it
/// hears last. A bus without middleware does no work for it.
public protocol JobMiddleware: Sendable {
    /// Sends messages: commands and events in the sender's transaction, which commits later; of calls it is the asking
    /// and the waiting for the answer.
    /// - Parameter body: to be called once.
    /// - Returns: what the body returns.
    /// - Throws: what the body throws, or whatever it likes: nothing is sent then, and the sender gets the error.
    func send<R>(_ sending: Sending, _ body: () async throws -> R) async throws -> R

    /// Runs the handler for one job, or for those of a batch that are of one kind. Encloses the transaction of a single
    /// job; that of a batch encloses this.
    /// - Parameter handler: to be called once. Without it the job has done nothing and is completed all the same.
    /// - Throws: what the handler throws, or an error of its own, which fails the job like one of the handler.
    func run(_ jobs: [JobContext], of kind: String, _ handler: () async throws -> Void) async throws

    /// It is in the database what became of these jobs. Must not take long.
    func ended(_ jobs: [JobContext], of kind: String, _ ending: JobEnding)
}

extension JobMiddleware {
    /// Only the sending.
    public func send<R>(_ sending: Sending, _ body: () async throws -> R) async throws -> R {
        try await body()
    }

    /// Only the handler.
    public func run(_ jobs: [JobContext], of kind: String, _ handler: () async throws -> Void) async throws {
        try await handler()
    }

    /// Nothing.
    public func ended(_ jobs: [JobContext], of kind: String, _ ending: JobEnding) {}
}

/// Messages of one kind that are about to be sent.
public struct Sending: Sendable {
    /// The name of the messages.
    public let kind: String
    public let version: Int
    /// Where they go; nil for events, which go wherever somebody is subscribed.
    public let queue: QueueName?
    /// Whether the sender waits for an answer.
    public let isCall: Bool
    /// As the sender has them, also where the queue is encrypted.
    public let messages: [any Message]
}

/// How an attempt at a job ended.
public enum JobEnding: Sendable, Hashable {
    case completed
    /// It will be tried again.
    case failed(code: String)
    /// It was given up.
    case dead(code: String)
    /// Somebody cancelled it, or its deadline passed before it began.
    case cancelled
    /// Later, without counting the attempt: its handler has put it off, or its kind is not known here.
    case postponed
    /// This process stops; another one will run it.
    case givenBack
    /// It had been given to somebody else meanwhile; what this attempt did in its transaction is undone.
    case lost
}

/// The middleware of a bus, the outermost first.
struct MiddlewareChain: Sendable {
    let links: [any JobMiddleware]

    var isEmpty: Bool { self.links.isEmpty }

    func send<M: Message, R>(
        _ messages: @autoclosure () -> [M], to queue: QueueName?, _ body: () async throws -> R
    ) async throws -> R {
        guard !self.isEmpty else { return try await body() }
        let sending = Sending(
            kind: M.name, version: M.version, queue: queue, isCall: M.self is any Call.Type, messages: messages())
        return try await self.send(sending, from: 0, body)
    }

    private func send<R>(
        _ sending: Sending, from index: Int, _ body: () async throws -> R
    ) async throws -> R {
        guard index < self.links.count else { return try await body() }
        return try await self.links[index].send(sending) {
            try await self.send(sending, from: index + 1, body)
        }
    }

    func run(
        _ jobs: @autoclosure () -> [JobContext], of kind: String, _ handler: () async throws -> Void
    ) async throws {
        guard !self.isEmpty else { return try await handler() }
        try await self.run(jobs(), of: kind, from: 0, handler)
    }

    private func run(
        _ jobs: [JobContext], of kind: String, from index: Int, _ handler: () async throws -> Void
    ) async throws {
        guard index < self.links.count else { return try await handler() }
        try await self.links[index].run(jobs, of: kind) {
            try await self.run(jobs, of: kind, from: index + 1, handler)
        }
    }

    func ended(_ jobs: @autoclosure () -> [JobContext], of kind: String, _ ending: JobEnding) {
        guard !self.isEmpty else { return }
        let jobs = jobs()
        for link in self.links.reversed() { link.ended(jobs, of: kind, ending) }
    }
}

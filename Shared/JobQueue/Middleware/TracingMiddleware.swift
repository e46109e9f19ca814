internal import Kernel
internal import Spans
internal import Tracing

/// Spans for what is sent and for what is done, with the attributes of OpenTelemetry's conventions for messaging.
///
/// - What is sent has a span of the kind `producer`, a call until its answer one of the kind `client`. The message carries
///   it as its `traceparent`.
/// - A job's span is of the kind `consumer` and the child of its message's, so that a trace goes through all services. A
///   batch has a span of its own, with a link to each of its messages.
///
/// Without a tracer it does nothing. Which one there is, is said by `InstrumentationSystem.bootstrap` or `withTracer`.
public struct TracingMiddleware: JobMiddleware {
    /// More links than this are of no use to those who collect spans (OpenTelemetry's limit).
    static let linksMax = 128

    public init() {}

    public func send<R>(_ sending: Sending, _ body: () async throws -> R) async throws -> R {
        let operation = sending.isCall ? "call" : sending.queue == nil ? "publish" : "send"
        let destination = sending.queue?.text ?? sending.kind
        return try await withHouseSpan(
            "\(operation) \(destination)", ofKind: sending.isCall ? .client : .producer, in: .current,
            attributes: Self.attributes(operation, "send", destination, sending.kind, count: sending.messages.count),
            errorType: Self.errorType
        ) { _ in
            try await body()
        }
    }

    public func run(_ jobs: [JobContext], of kind: String, _ handler: () async throws -> Void) async throws {
        guard let first = jobs.first else { return try await handler() }
        let isAlone = jobs.count == 1
        try await withHouseSpan(
            "process \(first.queue)", ofKind: .consumer, in: .remote(isAlone ? first.trace : nil),
            links: isAlone ? [] : jobs.compactMap(\.trace).firstOfEach(upTo: Self.linksMax),
            attributes: Self.attributes(of: jobs, kind), errorType: Self.errorType
        ) { _ in
            try await handler()
        }
    }

    private static func attributes(of jobs: [JobContext], _ kind: String) -> SpanAttributes {
        var attributes = Self.attributes(
            "process", "process", jobs.first?.queue.text ?? "", kind, count: jobs.count)
        if jobs.count == 1, let job = jobs.first {
            attributes["messaging.message.id"] = "\(job.id)"
            attributes["queue.attempt"] = job.attempt
        }
        return attributes
    }

    private static func attributes(
        _ name: String, _ type: String, _ destination: String, _ kind: String, count: Int
    ) -> SpanAttributes {
        var attributes: SpanAttributes = [:]
        attributes["messaging.system"] = "club_queue"
        attributes["messaging.operation.name"] = name
        attributes["messaging.operation.type"] = type
        attributes["messaging.destination.name"] = destination
        attributes["queue.kind"] = kind
        if count > 1 { attributes["messaging.batch.message_count"] = count }
        return attributes
    }

    private static func errorType(_ error: any Error) -> String? {
        switch error {
        case is CancellationError: "cancelled"
        case CallError.deadlineExceeded, is DeadlineExceeded: "deadline-exceeded"
        case CallError.failed(let code): code
        case CallError.unreadableReply: "unreadable-reply"
        case CallError.stopped: "stopped"
        case let error as EncryptionError: error.code
        default:
            // Put off is not failed.
            Failure(error).snooze == nil ? Failure(error).code : nil
        }
    }
}

extension JobContext {
    var trace: TraceContext? { self.traceparent.flatMap { TraceContext(traceparent: $0) } }
}

extension [TraceContext] {
    /// Messages that were sent together have one span.
    fileprivate func firstOfEach(upTo limit: Int) -> [TraceContext] {
        var seen: Set<TraceContext> = []
        return Array(self.filter { seen.insert($0).inserted }.prefix(limit))
    }
}

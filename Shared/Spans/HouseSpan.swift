internal import Instrumentation
public import Kernel
public import Tracing

/// What a span belongs to.
public enum SpanParent: Sendable {
    /// The span or the trace of the present task; a trace of its own where there is none.
    case current
    /// The caller's span, which came from outside; a trace of its own where nothing came.
    case remote(TraceContext?)
}

/// Runs the body in a span; without a tracer, just the body.
///
/// In the body `TraceContext.current` is the span, for the log and for what is sent.
/// - Parameters:
///   - links: the spans that this one has to do with and is no child of.
///   - attributes: never a value of a message or a request.
///   - errorType: the code of an error, for the attribute `error.type`; nil for one that is no failure.
///   - body: gets the span, for what is known only later; nil without a tracer.
/// - Throws: what the body throws.
public func withHouseSpan<R>(
    _ name: @autoclosure () -> String, ofKind kind: SpanKind, in parent: SpanParent,
    links: @autoclosure () -> [TraceContext] = [], attributes: @autoclosure () -> SpanAttributes,
    errorType: (any Error) -> String?, _ body: ((any Span)?) async throws -> R
) async throws -> R {
    let tracer = InstrumentationSystem.tracer
    guard !(tracer is NoOpTracer) else { return try await body(nil) }
    let span: any Span = tracer.startSpan(name(), context: tracer.context(of: parent), ofKind: kind)
    defer { span.end() }
    span.attributes = attributes()
    for link in links() { span.addLink(SpanLink(context: tracer.context(of: .remote(link)), attributes: [:])) }
    do {
        return try await InstrumentationContext.$current.withValue(span.context) {
            guard let trace = tracer.trace(of: span.context) else { return try await body(span) }
            return try await TraceContext.$current.withValue(trace) { try await body(span) }
        }
    } catch {
        if let type = errorType(error) { span.fail(type) }
        throw error
    }
}

extension Span {
    /// What the span was about has failed.
    /// - Parameter type: a code, out of a small set.
    public func fail(_ type: String) {
        self.attributes["error.type"] = type
        self.setStatus(SpanStatus(code: .error, message: type))
    }
}

extension Tracer {
    fileprivate func context(of parent: SpanParent) -> InstrumentationContext {
        let trace: TraceContext?
        switch parent {
        case .remote(let remote): trace = remote
        case .current:
            if let current = InstrumentationContext.current { return current }
            trace = TraceContext.current
        }
        var context = InstrumentationContext.topLevel
        guard let trace else { return context }
        self.extract(["traceparent": trace.traceparent], into: &context, using: Headers())
        return context
    }

    /// nil when the tracer writes other headers.
    fileprivate func trace(of context: InstrumentationContext) -> TraceContext? {
        var headers: [String: String] = [:]
        self.inject(context, into: &headers, using: Headers())
        return headers["traceparent"].flatMap { TraceContext(traceparent: $0) }
    }
}

private struct Headers: Extractor, Injector {
    func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }

    func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) { carrier[key] = value }
}

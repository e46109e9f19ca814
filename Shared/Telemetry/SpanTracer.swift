public import Instrumentation
public import Kernel
internal import NIOConcurrencyHelpers
public import Tracing

/// A tracer that hands ended spans to a ``SpanExporter``, and reads and writes the W3C's `traceparent`.
///
/// Whether a trace is recorded is decided once, where it begins: a caller's decision is followed, and of traces that begin here
/// the tracer records the share that it was given. What is not recorded costs two random numbers and goes on in the header.
public final class SpanTracer: Tracer {
    private let exporter: SpanExporter
    private let random: RandomBytes
    /// Of 256 traces that begin here, how many are recorded.
    private let share: Int

    /// - Parameter percent: of the traces that begin here, how many are recorded, from 1 to 100.
    public init(exporter: SpanExporter, percent: Int, random: RandomBytes = .system) {
        self.exporter = exporter
        self.random = random
        self.share = max(1, percent * 256 / 100)
    }

    public func startSpan<Instant: TracerInstant>(
        _ operationName: String, context: @autoclosure () -> InstrumentationContext, ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
    ) -> RecordingSpan {
        var context = context()
        let parent = context[TraceKey.self]
        let trace = parent?.child(random: self.random) ?? self.root()
        context[TraceKey.self] = trace
        let exporter = trace.isSampled ? self.exporter : nil
        return RecordingSpan(
            FinishedSpan(
                name: operationName, kind: kind, trace: trace, parent: parent,
                begins: instant().nanosecondsSinceEpoch),
            context: context, exporter: exporter)
    }

    private func root() -> TraceContext {
        let isSampled = self.share > 255 || Int(self.random.next(1)[0]) < self.share
        return .root(random: self.random, isSampled: isSampled)
    }

    public func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier, into context: inout InstrumentationContext, using extractor: Extract
    ) where Extract.Carrier == Carrier {
        context[TraceKey.self] = extractor.extract(key: "traceparent", from: carrier)
            .flatMap { TraceContext(traceparent: $0) }
    }

    public func inject<Carrier, Inject: Injector>(
        _ context: InstrumentationContext, into carrier: inout Carrier, using injector: Inject
    ) where Inject.Carrier == Carrier {
        guard let trace = context[TraceKey.self] else { return }
        injector.inject(trace.traceparent, forKey: "traceparent", into: &carrier)
    }

    /// Nothing: spans go out by themselves, within a second.
    public func forceFlush() {}
}

enum TraceKey: InstrumentationContextKey {
    typealias Value = TraceContext
}

/// A span as a collector gets it. Times are nanoseconds since 1970.
struct FinishedSpan: Sendable {
    var name: String
    let kind: SpanKind
    let trace: TraceContext
    let parent: TraceContext?
    let begins: UInt64
    var ends: UInt64 = 0
    var attributes: SpanAttributes = [:]
    var links: [TraceContext] = []
    var status: SpanStatus?
}

/// A span that has begun. Of errors it keeps the type, never the text, which may quote a member's data; and no part of a URL.
public final class RecordingSpan: Span {
    private struct State {
        var span: FinishedSpan
        var hasEnded = false
    }

    public let context: InstrumentationContext
    private let exporter: SpanExporter?
    private let state: NIOLockedValueBox<State>

    /// - Parameter exporter: gets the span when it has ended; nil when nobody wants to know.
    init(_ span: FinishedSpan, context: InstrumentationContext, exporter: SpanExporter?) {
        self.context = context
        self.exporter = exporter
        self.state = NIOLockedValueBox(State(span: span))
    }

    public var operationName: String {
        get { self.state.withLockedValue(\.span.name) }
        set { self.state.withLockedValue { $0.span.name = newValue } }
    }

    public var attributes: SpanAttributes {
        get { self.state.withLockedValue(\.span.attributes) }
        set { self.state.withLockedValue { $0.span.attributes = newValue } }
    }

    public var isRecording: Bool { self.exporter != nil && self.state.withLockedValue { !$0.hasEnded } }

    public func setStatus(_ status: SpanStatus) { self.state.withLockedValue { $0.span.status = status } }

    /// Events are not kept: nothing of the house makes any.
    public func addEvent(_ event: SpanEvent) {}

    public func recordError<Instant: TracerInstant>(
        _ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant
    ) {
        let type = "\(type(of: error))"
        self.state.withLockedValue {
            $0.span.attributes["error.type"] = type
            $0.span.status = SpanStatus(code: .error, message: type)
        }
    }

    public func addLink(_ link: SpanLink) {
        guard let trace = link.context[TraceKey.self] else { return }
        self.state.withLockedValue { $0.span.links.append(trace) }
    }

    public func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
        let now = instant().nanosecondsSinceEpoch
        guard let exporter = self.exporter else { return }
        let ended = self.state.withLockedValue { state -> FinishedSpan? in
            guard !state.hasEnded else { return nil }
            state.hasEnded = true
            state.span.ends = max(now, state.span.begins)
            return state.span
        }
        if let ended { exporter.take(ended) }
    }
}

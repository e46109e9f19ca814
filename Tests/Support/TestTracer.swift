public import Instrumentation
public import Kernel
internal import NIOConcurrencyHelpers
public import Tracing

/// A tracer that keeps what it records, and writes `traceparent`. To be bound with `withTracer`.
public final class TestTracer: Tracer {
    /// A span that has ended.
    public struct Recorded: Sendable {
        public let name: String
        public let kind: SpanKind
        public let trace: TraceContext
        public let parent: TraceContext?
        public let links: [TraceContext]
        public let attributes: SpanAttributes
        public let status: SpanStatus?
        /// The errors that were recorded as themselves.
        public let errors: [String]

        /// As text.
        public func attribute(_ name: String) -> String? {
            self.attributes.get(name).map { attribute in
                switch attribute {
                case .string(let text): text
                case .int32(let number): "\(number)"
                case .int64(let number): "\(number)"
                default: "\(attribute)"
                }
            }
        }
    }

    private let recorded = NIOLockedValueBox<[Recorded]>([])

    public init() {}

    /// The spans that have ended, in this order.
    public var spans: [Recorded] { self.recorded.withLockedValue { $0 } }

    /// The only span of this name and kind that has ended; nil when there is none or more than one.
    public func span(_ name: String, _ kind: SpanKind) -> Recorded? {
        let found = self.spans.filter { $0.name == name && $0.kind == kind }
        return found.count == 1 ? found.first : nil
    }

    public func startSpan<Instant: TracerInstant>(
        _ operationName: String, context: @autoclosure () -> InstrumentationContext, ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
    ) -> TestSpan {
        var context = context()
        let parent = context[TraceKey.self]
        let trace = parent?.child(random: .system) ?? .root(random: .system, isSampled: true)
        context[TraceKey.self] = trace
        return TestSpan(operationName, kind, context, trace, parent) { [recorded] span in
            recorded.withLockedValue { $0.append(span) }
        }
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

    public func forceFlush() {}
}

private enum TraceKey: InstrumentationContextKey {
    typealias Value = TraceContext
}

/// A span of ``TestTracer``.
public final class TestSpan: Span {
    private struct State {
        var name: String
        var attributes: SpanAttributes = [:]
        var links: [TraceContext] = []
        var status: SpanStatus?
        var errors: [String] = []
        var hasEnded = false
    }

    public let context: InstrumentationContext
    private let kind: SpanKind
    private let trace: TraceContext
    private let parent: TraceContext?
    private let record: @Sendable (TestTracer.Recorded) -> Void
    private let state: NIOLockedValueBox<State>

    init(
        _ name: String, _ kind: SpanKind, _ context: InstrumentationContext, _ trace: TraceContext,
        _ parent: TraceContext?, record: @escaping @Sendable (TestTracer.Recorded) -> Void
    ) {
        self.context = context
        self.kind = kind
        self.trace = trace
        self.parent = parent
        self.record = record
        self.state = NIOLockedValueBox(State(name: name))
    }

    public var operationName: String {
        get { self.state.withLockedValue(\.name) }
        set { self.state.withLockedValue { $0.name = newValue } }
    }

    public var attributes: SpanAttributes {
        get { self.state.withLockedValue(\.attributes) }
        set { self.state.withLockedValue { $0.attributes = newValue } }
    }

    public var isRecording: Bool { self.state.withLockedValue { !$0.hasEnded } }

    public func setStatus(_ status: SpanStatus) { self.state.withLockedValue { $0.status = status } }

    public func addEvent(_ event: SpanEvent) {}

    public func recordError<Instant: TracerInstant>(
        _ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant
    ) {
        self.state.withLockedValue { $0.errors.append("\(error)") }
    }

    public func addLink(_ link: SpanLink) {
        guard let trace = link.context[TraceKey.self] else { return }
        self.state.withLockedValue { $0.links.append(trace) }
    }

    public func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
        let ended = self.state.withLockedValue { state -> State? in
            defer { state.hasEnded = true }
            return state.hasEnded ? nil : state
        }
        guard let ended else { return }
        self.record(
            TestTracer.Recorded(
                name: ended.name, kind: self.kind, trace: self.trace, parent: self.parent, links: ended.links,
                attributes: ended.attributes, status: ended.status, errors: ended.errors))
    }
}

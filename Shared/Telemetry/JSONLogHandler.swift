public import Kernel
public import Logging

/// Logs as one JSON object a line, for machines to read.
///
/// Members, in this order: `time` (RFC 3339, UTC), `level`, `logger`, `message`, `trace` (the W3C trace id of the present
/// task, when it has one), `error`, `metadata` (an object). Everything that is not said is left out.
public struct JSONLogHandler: LogHandler {
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?
    public var logLevel: Logger.Level

    private let label: String
    private let sink: LogSink
    private let clock: any WallClock

    /// - Parameters:
    ///   - label: who logs, for example "club.ledger".
    ///   - level: what is less important is left out.
    public init(
        label: String, level: Logger.Level = .info, sink: LogSink = .standardError, clock: any WallClock = SystemClock()
    ) {
        self.label = label
        self.logLevel = level
        self.sink = sink
        self.clock = clock
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var text = JSONText()
        text.raw("{")
        text.key("time")
        text.string(self.clock.now.description)
        text.key("level")
        text.string(event.level.rawValue)
        text.key("logger")
        text.string(self.label)
        text.key("message")
        text.string(event.message.description)
        if let trace = TraceContext.current {
            text.key("trace")
            text.string(trace.traceIDText)
        }
        if let error = event.error {
            text.key("error")
            text.string("\(error)")
        }
        let metadata = self.merged(with: event.metadata)
        if !metadata.isEmpty {
            text.key("metadata")
            text.append(metadata)
        }
        text.raw("}")
        text.endLine()
        self.sink.write(text.bytes)
    }

    /// The handler's, below the provider's, below the event's own.
    private func merged(with own: Logger.Metadata?) -> Logger.Metadata {
        var metadata = self.metadata
        if let provided = self.metadataProvider?.get() { metadata.merge(provided) { $1 } }
        if let own { metadata.merge(own) { $1 } }
        return metadata
    }
}

extension JSONText {
    fileprivate mutating func append(_ metadata: Logger.Metadata) {
        self.raw("{")
        for (name, value) in metadata.sorted(by: { $0.key < $1.key }) {
            self.key(name)
            self.append(value)
        }
        self.raw("}")
    }

    private mutating func append(_ value: Logger.MetadataValue) {
        switch value {
        case .string(let text): self.string(text)
        case .stringConvertible(let something): self.string(something.description)
        case .dictionary(let metadata): self.append(metadata)
        case .array(let values):
            self.raw("[")
            for (position, value) in values.enumerated() {
                if position > 0 { self.raw(",") }
                self.append(value)
            }
            self.raw("]")
        }
    }
}

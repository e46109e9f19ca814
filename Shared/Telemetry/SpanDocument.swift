internal import Kernel
internal import Tracing

/// Spans as OTLP writes them in JSON (`ExportTraceServiceRequest`, OTLP 1.x, JSON Protobuf encoding): numbers of trace and span
/// in hexadecimal, 64-bit integers as strings, enumerations as integers.
/// https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
enum SpanDocument {
    /// Longer texts of attributes are cut, so that a span has a bounded size.
    static let textMax = 512

    /// - Parameters:
    ///   - service: the resource's `service.name`.
    ///   - instance: the resource's `service.instance.id`.
    static func json(_ spans: [FinishedSpan], service: String, instance: String) -> [UInt8] {
        var text = JSONText(reserving: 512 * (spans.count + 1))
        text.raw(#"{"resourceSpans":[{"resource":{"attributes":["#)
        text.attribute("service.name", .string(service))
        text.raw(",")
        text.attribute("service.instance.id", .string(instance))
        text.raw(#"]},"scopeSpans":[{"scope":{"name":"club"},"spans":["#)
        for (position, span) in spans.enumerated() {
            if position > 0 { text.raw(",") }
            text.append(span)
        }
        text.raw("]}]}]}")
        return text.bytes
    }

    /// Paths and queries of requests to gateways carry phones and codes: they stay out, whoever sets them.
    static func isPrivate(_ attribute: String) -> Bool { attribute.hasPrefix("url.") }
}

extension JSONText {
    fileprivate mutating func append(_ span: FinishedSpan) {
        self.raw("{")
        self.append(span.trace)
        if let parent = span.parent {
            self.key("parentSpanId")
            self.string(parent.spanIDText)
        }
        self.key("name")
        self.string(String(span.name.prefix(SpanDocument.textMax)))
        self.key("kind")
        self.number(span.kind.otlp)
        self.key("startTimeUnixNano")
        self.string(String(span.begins))
        self.key("endTimeUnixNano")
        self.string(String(span.ends))
        self.append(span.attributes)
        self.append(span.links)
        if let status = span.status, let code = status.code.otlp {
            self.key("status")
            self.raw("{")
            self.key("code")
            self.number(code)
            if let message = status.message {
                self.key("message")
                self.string(String(message.prefix(SpanDocument.textMax)))
            }
            self.raw("}")
        }
        self.raw("}")
    }

    private mutating func append(_ trace: TraceContext) {
        self.key("traceId")
        self.string(trace.traceIDText)
        self.key("spanId")
        self.string(trace.spanIDText)
    }

    private mutating func append(_ attributes: SpanAttributes) {
        var known: [(String, SpanAttribute)] = []
        // They are no sequence.
        // swift-format-ignore: ReplaceForEachWithForLoop
        attributes.forEach { if !SpanDocument.isPrivate($0) { known.append(($0, $1)) } }
        guard !known.isEmpty else { return }
        self.key("attributes")
        self.raw("[")
        for (position, (name, value)) in known.sorted(by: { $0.0 < $1.0 }).enumerated() {
            if position > 0 { self.raw(",") }
            self.attribute(name, value)
        }
        self.raw("]")
    }

    private mutating func append(_ links: [TraceContext]) {
        guard !links.isEmpty else { return }
        self.key("links")
        self.raw("[")
        for (position, link) in links.enumerated() {
            if position > 0 { self.raw(",") }
            self.raw("{")
            self.append(link)
            self.raw("}")
        }
        self.raw("]")
    }

    /// `{"key": …, "value": {…}}`. What is neither number nor flag is written as text.
    fileprivate mutating func attribute(_ name: String, _ value: SpanAttribute) {
        self.raw("{")
        self.key("key")
        self.string(name)
        self.key("value")
        self.raw("{")
        switch value {
        case .int32(let number): self.integer(Int64(number))
        case .int64(let number): self.integer(number)
        case .bool(let flag):
            self.key("boolValue")
            self.raw(flag ? "true" : "false")
        case .string(let text): self.text(text)
        case .stringConvertible(let something): self.text("\(something)")
        default: self.text("\(value)")
        }
        self.raw("}}")
    }

    private mutating func integer(_ number: Int64) {
        self.key("intValue")
        self.string(String(number))
    }

    private mutating func text(_ text: String) {
        self.key("stringValue")
        self.string(String(text.prefix(SpanDocument.textMax)))
    }
}

extension SpanKind {
    /// `Span.SpanKind` of OTLP.
    fileprivate var otlp: Int {
        switch self {
        case .internal: 1
        case .server: 2
        case .client: 3
        case .producer: 4
        case .consumer: 5
        }
    }
}

extension SpanStatus.Code {
    /// `Status.StatusCode` of OTLP.
    fileprivate var otlp: Int? {
        switch self {
        case .ok: 1
        case .error: 2
        }
    }
}

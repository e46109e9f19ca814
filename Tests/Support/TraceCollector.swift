internal import FoundationEssentials
internal import Hummingbird
internal import HummingbirdTesting
internal import Logging
internal import NIOConcurrencyHelpers

/// A collector of traces, as the services reach it: OTLP over HTTP in JSON. It reads what it gets strictly by the protocol's
/// names, so that what a real collector would not understand is missed here too.
public final class TraceCollector: Sendable {
    /// A span as it arrived.
    public struct Span: Sendable, Decodable {
        /// In hexadecimal, as the two that follow.
        public let traceId: String
        public let spanId: String
        /// nil of the root.
        public let parentSpanId: String?
        public let name: String
        /// 2 server, 3 client, 4 producer, 5 consumer.
        public let kind: Int
        public let startTimeUnixNano: String
        public let endTimeUnixNano: String
        public let attributes: [Attribute]?
        public let links: [Link]?
        public let status: Status?
        /// The resource's `service.name`; written in by the collector.
        public var service: String?

        public struct Link: Sendable, Decodable {
            public let traceId: String
            public let spanId: String
        }

        public struct Status: Sendable, Decodable {
            public let code: Int
        }

        /// The text or the number of an attribute.
        public func attribute(_ key: String) -> String? {
            let value = self.attributes?.first { $0.key == key }?.value
            return value?.stringValue ?? value?.intValue
        }
    }

    /// One attribute.
    public struct Attribute: Sendable, Decodable {
        public struct Value: Sendable, Decodable {
            public let stringValue: String?
            public let intValue: String?
        }

        public let key: String
        public let value: Value
    }

    private struct Request: Decodable {
        struct Resource: Decodable {
            struct Description: Decodable { let attributes: [Attribute] }
            struct Scope: Decodable { let spans: [Span] }

            let resource: Description
            let scopeSpans: [Scope]
        }

        let resourceSpans: [Resource]
    }

    private struct State {
        var spans: [Span] = []
        var texts: [String] = []
        var answers: [Int] = []
        var requests = 0
    }

    private let state = NIOLockedValueBox(State())

    private init(_ answers: [Int]) { self.state.withLockedValue { $0.answers = answers } }

    /// All spans so far, in the order of their arrival.
    public var spans: [Span] { self.state.withLockedValue(\.spans) }
    /// The bodies as they came.
    public var texts: [String] { self.state.withLockedValue(\.texts) }
    /// How many requests came, whatever the answer.
    public var requests: Int { self.state.withLockedValue(\.requests) }

    /// Is there for as long as the body runs.
    /// - Parameters:
    ///   - answers: the statuses of the first answers; 200 from then on. Spans are kept only of what is answered with 200.
    ///   - body: gets the base URL.
    public static func run(
        answers: [Int] = [], _ body: @escaping @Sendable (TraceCollector, String) async throws -> Void
    ) async throws {
        let collector = TraceCollector(answers)
        let router = Router()
        router.post("/v1/traces") { request, _ -> Response in
            guard request.headers[.contentType] == "application/json" else { return Response(status: .badRequest) }
            let bytes = try await request.body.collect(upTo: 16 << 20)
            let status = try collector.take(Data(bytes.readableBytesView))
            return Response(
                status: .init(code: status), headers: [.contentType: "application/json"],
                body: .init(byteBuffer: ByteBuffer(string: "{}")))
        }
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            logger: Logger(label: "collector", factory: { _ in SwiftLogNoOpLogHandler() }))
        try await application.test(.live) { client in
            guard let port = client.port else { throw NeverHappened(description: "The collector has no port") }
            try await body(collector, "http://127.0.0.1:\(port)")
        }
    }

    private func take(_ data: Data) throws -> Int {
        let request = try JSONDecoder().decode(Request.self, from: data)
        return self.state.withLockedValue { state in
            state.requests += 1
            let status = state.answers.isEmpty ? 200 : state.answers.removeFirst()
            guard status == 200 else { return status }
            state.texts.append(String(decoding: data, as: UTF8.self))
            for part in request.resourceSpans {
                let name = part.resource.attributes.first { $0.key == "service.name" }?.value.stringValue
                for span in part.scopeSpans.flatMap(\.spans) {
                    var span = span
                    span.service = name
                    state.spans.append(span)
                }
            }
            return status
        }
    }
}

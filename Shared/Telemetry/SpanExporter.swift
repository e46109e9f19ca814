internal import AsyncHTTPClient
internal import Kernel
public import Logging
internal import Metrics
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import NIOHTTP1

/// Sends ended spans to a collector: OTLP over HTTP in JSON, `POST <endpoint>/v1/traces`.
///
/// Serving never waits for it. A span is put into a buffer of bounded size; what finds it full is dropped and counted. Each
/// half second what is there goes out, in requests of at most ``batchMax`` spans. A collector that does not answer or that asks
/// for patience (429, 502, 503, 504) is asked again a few times, and then those spans are dropped; any other answer but
/// success drops them at once, as OTLP wants.
///
/// Metrics: `club_traces_exported_total`; `club_traces_dropped_total` by `reason` (`full`, `unreachable`, `refused`).
public final class SpanExporter: Sendable {
    /// Spans that wait at most; about 1 KB each.
    public static let bufferMax = 4096
    /// Spans of one request.
    public static let batchMax = 512

    private static let pause = Duration.milliseconds(500)
    private static let requestLimit = TimeAmount.seconds(5)
    /// Pauses before a request is made again.
    private static let retries: [Duration] = [.seconds(1), .seconds(2), .seconds(4)]
    /// How long the last spans may take when the process stops.
    private static let farewell = Duration.seconds(2)

    private let address: String
    private let service: String
    private let instance: String
    private let logger: Logger
    private let buffer = NIOLockedValueBox<[FinishedSpan]>([])
    private let hasComplained = NIOLockedValueBox(false)
    private let exported = Counter(label: "club_traces_exported_total")
    private let full = Counter(label: "club_traces_dropped_total", dimensions: [("reason", "full")])
    private let unreachable = Counter(label: "club_traces_dropped_total", dimensions: [("reason", "unreachable")])
    private let refused = Counter(label: "club_traces_dropped_total", dimensions: [("reason", "refused")])

    /// Takes the metrics factory of the present task. Nothing goes out before ``run()``.
    /// - Parameters:
    ///   - endpoint: the collector's base URL, such as `http://collector:4318`.
    ///   - service: the name under which the spans are shown.
    ///   - instance: tells this process from others of the service.
    public init(endpoint: String, service: String, instance: String, logger: Logger) {
        self.address = (endpoint.hasSuffix("/") ? String(endpoint.dropLast()) : endpoint) + "/v1/traces"
        self.service = service
        self.instance = instance
        self.logger = logger
    }

    func take(_ span: FinishedSpan) {
        let isFull = self.buffer.withLockedValue { buffer in
            guard buffer.count < Self.bufferMax else { return true }
            buffer.append(span)
            return false
        }
        if isFull { self.full.increment() }
    }

    /// Sends until the task is cancelled; what is left then goes out if the collector takes it within two seconds.
    public func run() async {
        var configuration = HTTPClient.Configuration()
        configuration.tracing.tracer = nil
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        while (try? await ContinuousClock().sleep(for: Self.pause)) != nil {
            await self.send(with: client)
        }
        // Unowned: this task is cancelled and its requests would be refused; the other one is waited for.
        await Task {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.send(with: client) }
                group.addTask { try? await ContinuousClock().sleep(for: Self.farewell) }
                await group.next()
                group.cancelAll()
            }
        }.value
        try? await client.shutdown()
    }

    private func send(with client: HTTPClient) async {
        while let batch = self.next(), !batch.isEmpty {
            await self.send(batch, with: client)
        }
    }

    private func next() -> [FinishedSpan]? {
        self.buffer.withLockedValue { buffer in
            let batch = Array(buffer.prefix(Self.batchMax))
            buffer.removeFirst(batch.count)
            return batch
        }
    }

    private func send(_ batch: [FinishedSpan], with client: HTTPClient) async {
        var request = HTTPClientRequest(url: self.address)
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        request.body = .bytes(
            ByteBuffer(bytes: SpanDocument.json(batch, service: self.service, instance: self.instance)))
        for pause in Self.retries.map(Optional.some) + [nil] {
            switch await self.answer(to: request, with: client) {
            case .taken:
                self.hasComplained.withLockedValue { $0 = false }
                self.exported.increment(by: batch.count)
                return
            case .refused(let status):
                self.complain("status \(status)")
                self.refused.increment(by: batch.count)
                return
            case .later(let reason):
                self.complain(reason)
                guard let pause, (try? await ContinuousClock().sleep(for: pause)) != nil else {
                    self.unreachable.increment(by: batch.count)
                    return
                }
            }
        }
    }

    private enum Answer {
        case taken
        case refused(UInt)
        case later(String)
    }

    private func answer(to request: HTTPClientRequest, with client: HTTPClient) async -> Answer {
        do {
            let response = try await client.execute(request, timeout: Self.requestLimit)
            // What it says is of no interest, but the connection is used again only when it is read.
            for try await _ in response.body {}
            switch response.status.code {
            case 200..<300: return .taken
            case 429, 502, 503, 504: return .later("status \(response.status.code)")
            default: return .refused(response.status.code)
            }
        } catch {
            return .later("\(type(of: error))")
        }
    }

    /// Once, until it goes well again.
    private func complain(_ reason: String) {
        guard
            self.hasComplained.withLockedValue({ said in
                defer { said = true }
                return !said
            })
        else { return }
        self.logger.warning("The collector of traces does not take them", metadata: ["reason": "\(reason)"])
    }
}

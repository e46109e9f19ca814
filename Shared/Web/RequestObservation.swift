import HTTPTypes
import Hummingbird
import Kernel
import Logging
import Metrics
import NIOConcurrencyHelpers
import Spans
import Tracing

/// Watches over each request from outside: binds its trace, counts it, times it, and leaves one line in the log.
///
/// - Trace: the `traceparent` of the request, or a new one, becomes `TraceContext.current` with a span of our own. Where
///   there is a tracer, it records that span, by the names of OpenTelemetry.
/// - Metrics: `http_requests` (counter) and `http_request_duration_seconds` (histogram) by `method`, `route`, `status`.
/// - Log, at debug: method, route, status, duration.
///
/// The route is the template, never the path; nothing of the query, the headers or the bodies. (This is why Hummingbird's
/// own middleware for traces is not used: it records path, query and errors.)
struct RequestObservation: RouterMiddleware {
    private let random: RandomBytes
    private let series: RequestSeries

    /// Takes the metrics factory of the present task.
    init(random: RandomBytes) {
        self.random = random
        self.series = RequestSeries(factory: MetricsSystem.factory)
    }

    func handle(
        _ request: Request, context: ClubRequestContext,
        next: @concurrent (Request, ClubRequestContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        let caller = request.headers[.traceparent].flatMap { TraceContext(traceparent: $0) }
        let trace = caller?.child(random: self.random) ?? .root(random: self.random)
        return try await TraceContext.$current.withValue(trace) {
            // The name is known when the route is.
            try await withHouseSpan(
                "HTTP", ofKind: .server, in: .remote(caller), attributes: [:], errorType: { _ in "500" }
            ) { span in
                do {
                    let response = try await next(request, context)
                    self.note(request, context, response.status, since: start, in: span)
                    return response
                } catch {
                    self.note(request, context, .internalServerError, since: start, in: span)
                    throw error
                }
            }
        }
    }

    private func note(
        _ request: Request, _ context: ClubRequestContext, _ status: HTTPResponse.Status,
        since start: ContinuousClock.Instant, in span: (any Span)?
    ) {
        let duration = ContinuousClock.now - start
        let id = RequestSeries.ID(method: request.method, endpoint: context.endpointPath, status: status)
        self.series.record(duration, for: id)
        span?.describe(id)
        context.logger.debug(
            "Request",
            metadata: [
                "http.method": "\(id.method)", "http.route": "\(id.route)", "http.status": "\(id.status)",
                "http.milliseconds": "\(duration.wholeMicroseconds / 1000).\(duration.wholeMicroseconds % 1000 / 100)",
                "trace": "\(TraceContext.current?.traceIDText ?? "-")",
            ])
    }
}

extension Span {
    fileprivate func describe(_ id: RequestSeries.ID) {
        self.operationName = "\(id.method) \(id.route)"
        self.updateAttributes { attributes in
            attributes["http.request.method"] = id.method
            attributes["http.route"] = id.route
            attributes["http.response.status_code"] = id.status
        }
        if id.status >= 500 { self.fail("\(id.status)") }
    }
}

extension Duration {
    fileprivate var wholeMicroseconds: Int64 {
        self.components.seconds * 1_000_000 + self.components.attoseconds / 1_000_000_000_000
    }
}

/// The series of request metrics, made when first needed: which statuses a route answers is known only then.
private final class RequestSeries: Sendable {
    struct ID: Hashable {
        let method: String
        let route: String
        let status: Int

        /// A client can send any word as method, and must not be able to make a series of each.
        init(method: HTTPRequest.Method, endpoint: String?, status: HTTPResponse.Status) {
            let known: Set<HTTPRequest.Method> = [.get, .head, .post, .put, .patch, .delete, .options]
            self.method = known.contains(method) ? method.rawValue : "other"
            self.route = endpoint.map { $0 == "NotFound" ? "unmatched" : $0 } ?? "unmatched"
            self.status = status.code
        }
    }

    private let factory: any MetricsFactory
    private let made = NIOLockedValueBox<[ID: (requests: Counter, duration: Timer)]>([:])

    init(factory: any MetricsFactory) {
        self.factory = factory
    }

    func record(_ duration: Duration, for id: ID) {
        let series = self.made.withLockedValue { made in
            if let series = made[id] { return series }
            let labels = [("method", id.method), ("route", id.route), ("status", String(id.status))]
            let series = (
                requests: Counter(label: "http_requests", dimensions: labels, factory: self.factory),
                duration: Timer(label: "http_request_duration_seconds", dimensions: labels, factory: self.factory)
            )
            made[id] = series
            return series
        }
        series.requests.increment()
        series.duration.recordNanoseconds(duration.wholeMicroseconds * 1000)
    }
}

import FoundationEssentials
import HTTPTypes
import Hummingbird
import InMemoryLogging
import Kernel
import Logging
import Metrics
import Telemetry
import TestSupport
import Testing
import Tracing
import Web

@Suite(.capturedLogs) struct HouseRouterTests {
    private static func addHolds(_ router: Router<ClubRequestContext>) {
        router.get("/v1/holds/{hold}") { _, context in
            try Response.json(["hold": context.id("hold", of: Hold.self).description])
        }
        router.delete("/v1/holds/:hold") { _, _ in Response(status: .noContent) }
        router.group("/v1").post("holds") { _, _ in Response(status: .created) }
    }

    @Test func `an unknown path is a problem`() async throws {
        let reply = try await House().send(.get, "/nothing/here")
        #expect(reply.status == .notFound)
        #expect(try reply.problem.code == "not-found")
    }

    @Test(
        arguments: [
            (.put, "/v1/holds/1", "DELETE, GET, HEAD"), (.get, "/v1/holds", "POST"), (.options, "/v1/holds", "POST"),
            (.post, "/health/live", "GET, HEAD"),
        ] as [(HTTPRequest.Method, String, String)])
    func `another method of a known path is 405 and told which there are`(
        method: HTTPRequest.Method, path: String, allow: String
    ) async throws {
        let reply = try await House(addRoutes: Self.addHolds).send(method, path)
        #expect(reply.status == .methodNotAllowed)
        #expect(reply.headers[.allow] == allow)
        #expect(try reply.problem.code == "method-not-allowed")
    }

    @Test func `HEAD is answered where GET is`() async throws {
        #expect(try await House().send(.head, "/health/live").status == .ok)
    }

    @Test func `an identifier that is none is answered like one that nothing has`() async throws {
        let house = House(addRoutes: Self.addHolds)
        #expect(try await house.send(.get, "/v1/holds/17").problem.code == "not-found")
        let id = Hold.ID(UUID())
        #expect(try await house.send(.get, "/v1/holds/\(id)").decode([String: String].self) == ["hold": "\(id)"])
    }

    @Test(arguments: ["/health/live", "/nothing", "/boom"])
    func `every answer has the security headers, also an error`(path: String) async throws {
        let house = House { router in
            router.get("/boom") { _, _ -> Response in throw Problem(.notFound) }
        }
        let headers = try await house.send(.get, path).headers
        #expect(headers[.xContentTypeOptions] == "nosniff")
        #expect(headers[.contentSecurityPolicy] == "default-src 'none'; frame-ancestors 'none'")
        #expect(headers[.cacheControl] == "no-store")
        #expect(headers[.crossOriginResourcePolicy] == "same-origin")
    }

    @Test func `what a route says about caching stays`() async throws {
        let house = House { router in
            router.get("/stores") { _, _ in try Response.json(["a"], headers: [.cacheControl: "max-age=60"]) }
        }
        #expect(try await house.send(.get, "/stores").headers[.cacheControl] == "max-age=60")
    }

    @Test func `metrics and the OpenAPI document are served with their types`() async throws {
        let house = House(openAPI: "openapi: 3.1.0\n", metrics: { "up 1\n" })
        let metrics = try await house.send(.get, "/metrics")
        #expect(metrics.text == "up 1\n")
        #expect(metrics.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
        let document = try await house.send(.get, "/openapi.yaml")
        #expect(document.text == "openapi: 3.1.0\n")
        #expect(document.headers[.contentType] == "application/yaml")
    }

    @Test func `the operations are listed as an OpenAPI document has them`() {
        #expect(
            OperationList.of(Self.addHolds) == ["GET /v1/holds/{hold}", "DELETE /v1/holds/{hold}", "POST /v1/holds"])
    }

    @Test func `the pages that every service has are listed too`() async throws {
        for operation in ServicePages.operations {
            let path = String(operation.split(separator: " ")[1])
            #expect(try await House().send(.get, path).status == .ok)
        }
    }
}

@Suite struct HealthTests {
    private struct Sick: Error {}

    private struct Answer: Decodable, Equatable {
        let status: String
        let checks: [String: String]
    }

    @Test func `alive is whoever answers`() async throws {
        let reply = try await House(readiness: [HealthCheck("database") { throw Sick() }]).send(.get, "/health/live")
        #expect(reply.status == .ok)
        #expect(try reply.decode([String: String].self) == ["status": "alive"])
    }

    @Test func `ready is who has all that it needs`() async throws {
        let house = House(readiness: [HealthCheck("database") {}, HealthCheck("listener") {}])
        let reply = try await house.send(.get, "/health/ready")
        #expect(reply.status == .ok)
        #expect(try reply.decode() == Answer(status: "ready", checks: ["database": "ok", "listener": "ok"]))
    }

    @Test func `one thing that fails is named and makes it 503`() async throws {
        let house = House(readiness: [HealthCheck("database") { throw Sick() }, HealthCheck("listener") {}])
        let reply = try await house.send(.get, "/health/ready")
        #expect(reply.status == .serviceUnavailable)
        #expect(try reply.decode() == Answer(status: "not-ready", checks: ["database": "failed", "listener": "ok"]))
    }

    @Test func `a check that does not answer fails`() async throws {
        let never = AsyncStream<Void> { _ in }
        let house = House(readiness: [HealthCheck("database") { for await _ in never {} }])
        let reply = try await house.send(.get, "/health/ready")
        #expect(try reply.decode() == Answer(status: "not-ready", checks: ["database": "failed"]))
    }
}

@Suite(.capturedLogs) struct ObservationTests {
    private static func addMembers(_ router: Router<ClubRequestContext>) {
        router.post("/v1/members/{member}") { request, _ in
            _ = try await StrictJSON.read(request)
            return try Response.json(["trace": TraceContext.current?.traceparent ?? "-"])
        }
    }

    @Test func `the log of a request has its template and nothing of what was sent`() async throws {
        let reply = try await House(addRoutes: Self.addMembers).post(
            "/v1/members/7000123412341234?phone=9161234567", #"{"name": "Ivanov"}"#,
            headers: [.authorization: "Bearer hunter2"])
        #expect(reply.status == .ok)
        let line = try #require(CapturedLogs.entries.first { "\($0.message)" == "Request" })
        #expect(line.metadata["http.route"] == "/v1/members/{member}")
        #expect(line.metadata["http.method"] == "POST")
        #expect(line.metadata["http.status"] == "200")
        #expect(line.metadata["trace"] != "-")
        #expect(line.level == .debug)
        for hidden in ["7000123412341234", "9161234567", "Ivanov", "hunter2"] {
            #expect(!CapturedLogs.text.contains(hidden))
        }
    }

    @Test func `a caller's trace goes on with a span of our own`() async throws {
        let caller = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        let traceparent = try #require(HTTPField.Name("traceparent"))
        let house = House(addRoutes: Self.addMembers)
        let reply = try await house.post("/v1/members/1", "{}", headers: [traceparent: caller])
        let trace = try #require(try reply.decode([String: String].self)["trace"])
        #expect(trace.hasPrefix("00-4bf92f3577b34da6a3ce929d0e0e4736-"))
        #expect(trace.hasSuffix("-01"))
        #expect(!trace.contains("00f067aa0ba902b7"))
    }

    @Test func `a tracer records the request under its template, and nothing of what was sent`() async throws {
        let caller = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        let traceparent = try #require(HTTPField.Name("traceparent"))
        let tracer = TestTracer()
        try await withTracer(tracer) {
            let house = House { router in
                Self.addMembers(router)
                router.get("/boom") { _, _ -> Response in throw Problem(.temporarilyUnavailable) }
            }
            let reply = try await house.post(
                "/v1/members/7000123412341234?phone=9161234567", #"{"name": "Ivanov"}"#, headers: [traceparent: caller])
            let span = try #require(tracer.span("POST /v1/members/{member}", .server))
            // What the request does meanwhile belongs to the span.
            #expect(try reply.decode([String: String].self)["trace"] == span.trace.traceparent)
            #expect(span.parent?.traceparent == caller)
            #expect(span.attribute("http.request.method") == "POST")
            #expect(span.attribute("http.route") == "/v1/members/{member}")
            #expect(span.attribute("http.response.status_code") == "200")
            #expect(span.status == nil)
            _ = try await house.send(.get, "/boom")
            let failed = try #require(tracer.span("GET /boom", .server))
            #expect(failed.status?.code == .error)
            #expect(failed.attribute("error.type") == "503")
            #expect(failed.parent == nil)
            for hidden in ["7000123412341234", "9161234567", "Ivanov"] {
                #expect(!"\(tracer.spans)".contains(hidden))
            }
        }
    }

    @Test(arguments: ["garbage", "00-00000000000000000000000000000000-00f067aa0ba902b7-01"])
    func `a caller without a valid trace gets a new one`(header: String) async throws {
        let traceparent = try #require(HTTPField.Name("traceparent"))
        let house = House(addRoutes: Self.addMembers)
        let reply = try await house.post("/v1/members/1", "{}", headers: [traceparent: header])
        let trace = try #require(try reply.decode([String: String].self)["trace"])
        #expect(TraceContext(traceparent: trace) != nil)
        #expect(TraceContext.current == nil)
    }

    @Test func `requests are counted and timed by template, method and status`() async throws {
        let metrics = PrometheusMetrics()
        let house = withMetricsFactory(metrics) { House(addRoutes: Self.addMembers) }
        for id in ["1", "2", "3"] { _ = try await house.post("/v1/members/\(id)", "{}") }
        _ = try await house.post("/v1/members/4", "{}", headers: [.contentEncoding: "gzip"])
        _ = try await house.send(.get, "/secret-path")
        _ = try await house.send(#require(HTTPRequest.Method("BREW")), "/secret-path")
        let text = metrics.text()
        let labels = #"method="POST",route="/v1/members/{member}",status="200""#
        #expect(text.contains("http_requests_total{\(labels)} 3"))
        #expect(text.contains("http_request_duration_seconds_count{\(labels)} 3"))
        #expect(text.contains(#"http_requests_total{method="POST",route="/v1/members/{member}",status="415"} 1"#))
        #expect(text.contains(#"http_requests_total{method="GET",route="unmatched",status="404"} 1"#))
        #expect(text.contains(#"http_requests_total{method="other",route="unmatched",status="404"} 1"#))
        #expect(!text.contains("secret") && !text.contains("BREW"))
    }
}

import HTTPTypes
public import Hummingbird
public import Kernel
import NIOCore

/// What every service serves beside its own routes.
public struct ServicePages: Sendable {
    let openAPI: String
    let metrics: @Sendable () -> String
    let readiness: [HealthCheck]

    /// - Parameters:
    ///   - openAPI: the service's `openapi.yaml`, served at `/openapi.yaml`.
    ///   - metrics: gives the text of `/metrics` (Prometheus, format 0.0.4).
    ///   - readiness: what `/health/ready` asks; all must be well for 200, else it is 503.
    public init(openAPI: String, metrics: @escaping @Sendable () -> String, readiness: [HealthCheck]) {
        self.openAPI = openAPI
        self.metrics = metrics
        self.readiness = readiness
    }

    /// These pages as ``OperationList`` writes them.
    public static let operations: Set<String> = [
        "GET /health/live", "GET /health/ready", "GET /metrics", "GET /openapi.yaml",
    ]
}

/// Makes routers with the manners of the house.
public enum HouseRouter {
    /// How long `/health/ready` waits for a check.
    private static let checkLimit = Duration.seconds(2)

    /// A router that observes every request, answers every error as a problem document, sets the security headers,
    /// serves the ``ServicePages``, answers HEAD where it answers GET, and answers 405 with `Allow` where a path has
    /// other methods.
    /// - Parameters:
    ///   - random: makes trace ids.
    ///   - addRoutes: adds the service's own routes.
    public static func make(
        pages: ServicePages, random: RandomBytes = .system, addRoutes: (Router<ClubRequestContext>) -> Void
    ) -> Router<ClubRequestContext> {
        let router = Router(context: ClubRequestContext.self, options: [.autoGenerateHeadEndpoints])
        router.add(middleware: RequestObservation(random: random))
        router.add(middleware: SecurityHeaders())
        router.add(middleware: ProblemResponses())
        Self.add(pages, to: router)
        addRoutes(router)
        Self.refuseOtherMethods(on: router)
        return router
    }

    private static func add(_ pages: ServicePages, to router: Router<ClubRequestContext>) {
        router.get("/health/live") { _, _ in
            try Response.json(["status": "alive"])
        }
        router.get("/health/ready") { _, _ in
            let readiness = await Readiness.of(pages.readiness, within: Self.checkLimit)
            return try Response.json(readiness, status: readiness.status == .ready ? .ok : .serviceUnavailable)
        }
        router.get("/metrics") { _, _ in
            Self.text(pages.metrics(), type: "text/plain; version=0.0.4; charset=utf-8")
        }
        router.get("/openapi.yaml") { _, _ in
            Self.text(pages.openAPI, type: "application/yaml")
        }
    }

    private static func text(_ text: String, type: String) -> Response {
        Answer(status: .ok, headers: [.contentType: type], body: Array(text.utf8)).response()
    }

    /// Hummingbird knows a path with another method as little as an unknown path; RFC 9110, 15.5.6 wants it told apart.
    private static func refuseOtherMethods(on router: Router<ClubRequestContext>) {
        let known: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options]
        for (path, routes) in Dictionary(grouping: router.routes, by: \.path.description) {
            var allowed = Set(routes.map(\.method))
            if allowed.contains(.get) { allowed.insert(.head) }
            let allow = allowed.map(\.rawValue).sorted().joined(separator: ", ")
            for method in known where !allowed.contains(method) {
                router.on(RouterPath(path), method: method) { _, _ -> Response in
                    throw Problem(.methodNotAllowed, headers: [.allow: allow])
                }
            }
        }
    }
}

/// The routes of a router in the form that an OpenAPI document has them: `GET /v1/holds/{id}`.
public enum OperationList {
    /// Lists the routes that `addRoutes` adds, and only these.
    public static func of(_ addRoutes: (Router<ClubRequestContext>) -> Void) -> Set<String> {
        let router = Router(context: ClubRequestContext.self)
        addRoutes(router)
        return Set(router.routes.map { "\($0.method.rawValue) \($0.path)" })
    }
}

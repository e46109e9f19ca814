import HTTPTypes
import Hummingbird

/// Headers that make an interface for programs useless to a page that embeds or misreads it. What a route has set stays.
struct SecurityHeaders: RouterMiddleware {
    /// OWASP REST Security Cheat Sheet, "Security Headers". Transport security is the edge's, which ends TLS.
    private static let headers: HTTPFields = [
        .xContentTypeOptions: "nosniff",
        .contentSecurityPolicy: "default-src 'none'; frame-ancestors 'none'",
        .cacheControl: "no-store",
        .crossOriginResourcePolicy: "same-origin",
    ]

    func handle(
        _ request: Request, context: ClubRequestContext,
        next: @concurrent (Request, ClubRequestContext) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        for field in Self.headers where response.headers[field.name] == nil {
            response.headers[field.name] = field.value
        }
        return response
    }
}

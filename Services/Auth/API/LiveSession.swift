import Hummingbird
import Kernel
import Postgres
import Web

/// Stands behind ``MemberAuthentication`` and answers `session-ended` (401) when the token's session has ended: auth itself
/// knows at once.
struct LiveSession: RouterMiddleware {
    let database: Database

    func handle(
        _ request: Request, context: ClubRequestContext,
        next: @concurrent (Request, ClubRequestContext) async throws -> Response
    ) async throws -> Response {
        let token = try context.requireMember()
        guard try await SessionStore().isLive(token.session, of: token.member, on: self.database) else {
            throw Problem(.sessionEnded)
        }
        return try await next(request, context)
    }
}

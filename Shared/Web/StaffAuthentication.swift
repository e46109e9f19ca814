public import Hummingbird

/// Lets colleagues in: routes behind it have `context.requireStaff()`.
///
/// Answers `token-missing`, `token-invalid` or `token-expired` (401), and `role-missing` (403) to a colleague who has none
/// of the roles that the routes are for.
public struct StaffAuthentication: RouterMiddleware {
    private let verifier: AccessTokenVerifier
    private let roles: Set<StaffRole>

    /// - Parameter roles: one of them is enough.
    public init(verifier: AccessTokenVerifier, roles: Set<StaffRole>) {
        self.verifier = verifier
        self.roles = roles
    }

    public func handle(
        _ request: Request, context: ClubRequestContext,
        next: @concurrent (Request, ClubRequestContext) async throws -> Response
    ) async throws -> Response {
        guard let text = request.bearerToken else {
            throw Problem(.tokenMissing, headers: [.wwwAuthenticate: "Bearer"])
        }
        let token = try await self.verifier.verifyStaff(text)
        guard !token.roles.isDisjoint(with: self.roles) else { throw Problem(.roleMissing) }
        var context = context
        context.staffToken = token
        return try await next(request, context)
    }
}

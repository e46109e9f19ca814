import Crypto
import FoundationEssentials
import HTTPTypes
public import Hummingbird
import Kernel

/// Lets members in: routes behind it have `context.requireMember()`.
///
/// Answers `token-missing`, `token-invalid` or `token-expired` (401), and `level-too-low` (403) when the route asks for
/// more than the member has shown.
public struct MemberAuthentication: RouterMiddleware {
    private let verifier: AccessTokenVerifier
    private let level: AssuranceLevel

    /// - Parameter level: the least that the routes ask for.
    public init(verifier: AccessTokenVerifier, level: AssuranceLevel = .basic) {
        self.verifier = verifier
        self.level = level
    }

    public func handle(
        _ request: Request, context: ClubRequestContext,
        next: @concurrent (Request, ClubRequestContext) async throws -> Response
    ) async throws -> Response {
        guard let text = request.bearerToken else {
            throw Problem(.tokenMissing, headers: [.wwwAuthenticate: "Bearer"])
        }
        let token = try await self.verifier.verify(text)
        guard token.level >= self.level else { throw Problem(.levelTooLow) }
        var context = context
        context.accessToken = token
        return try await next(request, context)
    }
}

/// Lets tills in by API key, `Authorization: Bearer ck_<id>_<secret>`: routes behind it have `context.requireTill()`.
///
/// Answers `api-key-invalid` (401) to everything else, an unknown key no faster than a known one with a wrong secret.
public struct TillAuthentication: RouterMiddleware {
    private static let lengthLimit = 256

    private let lookup: @Sendable (String) async throws -> TillKey?

    /// - Parameter lookup: finds a key by its id.
    public init(lookup: @escaping @Sendable (String) async throws -> TillKey?) {
        self.lookup = lookup
    }

    public func handle(
        _ request: Request, context: ClubRequestContext,
        next: @concurrent (Request, ClubRequestContext) async throws -> Response
    ) async throws -> Response {
        let invalid = Problem(.apiKeyInvalid, headers: [.wwwAuthenticate: "Bearer"])
        guard let presented = request.bearerToken.flatMap(Self.parse) else { throw invalid }
        let known = try await self.lookup(presented.id)
        let digest = Array(SHA256.hash(data: Data(presented.secret.utf8)))
        let isRight = ConstantTime.equal(digest, known?.hash ?? [UInt8](repeating: 0, count: 32))
        guard let known, isRight, !known.revoked else { throw invalid }
        var context = context
        context.tillKey = known
        return try await next(request, context)
    }

    private static func parse(_ text: String) -> (id: String, secret: String)? {
        let parts = text.split(separator: "_", maxSplits: 2, omittingEmptySubsequences: false)
        guard text.utf8.count <= Self.lengthLimit, parts.count == 3, parts[0] == "ck", !parts[1].isEmpty,
            !parts[2].isEmpty
        else { return nil }
        return (String(parts[1]), String(parts[2]))
    }
}

/// Lets only those keys pass that may do this; stands behind ``TillAuthentication``. Answers `api-key-scope` (403).
public struct RequireScope: RouterMiddleware {
    private let scope: String

    /// - Parameter scope: what the key must have among its scopes.
    public init(_ scope: String) {
        self.scope = scope
    }

    public func handle(
        _ request: Request, context: ClubRequestContext,
        next: @concurrent (Request, ClubRequestContext) async throws -> Response
    ) async throws -> Response {
        try context.requireTill().require(scope: self.scope)
        return try await next(request, context)
    }
}

extension Request {
    /// The credentials of `Authorization: Bearer …` (RFC 6750, 2.1); the scheme in any case (RFC 9110, 11.1).
    var bearerToken: String? {
        guard let header = self.headers[.authorization],
            let space = header.firstIndex(of: " "), header[..<space].lowercased() == "bearer"
        else { return nil }
        let token = header[header.index(after: space)...].drop { $0 == " " }
        return token.isEmpty ? nil : String(token)
    }
}

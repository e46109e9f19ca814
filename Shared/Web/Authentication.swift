import Crypto
import FoundationEssentials
import HTTPTypes
public import Hummingbird
public import Kernel
import NIOCore
public import Postgres

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

/// Lets tills in by API key, `Authorization: Bearer ck_<id>_<secret>` or signed (``RequestSignature``): routes behind it have
/// `context.requireTill()`. A key with the scope `signed` is taken signed only.
///
/// Answers `api-key-invalid` (401) to everything else, an unknown key no faster than a known one with a wrong secret, and
/// `signature-stale` (401) to a right signature whose time is more than five minutes off or whose nonce was used, in whichever
/// process of the service (``UsedNonces``).
public struct TillAuthentication: RouterMiddleware {
    private static let lengthLimit = 256
    /// A key with this scope proves itself by signatures only.
    public static let signedScope = "signed"

    private let clock: any WallClock
    private let bodyLimit: Int
    private let takeNonce: TakeNonce
    private let lookup: @Sendable (String) async throws -> TillKey?

    /// The nonce of a key, the time that the request states, and now; false when the nonce was taken before.
    typealias TakeNonce =
        @Sendable (_ nonce: String, _ key: String, _ signedAt: Timestamp, _ now: Timestamp) async throws -> Bool

    /// Looks keys up in `<schema>.till_key` and keeps nonces in `<schema>.used_nonce`.
    /// - Parameters:
    ///   - schema: the service whose routes these are.
    ///   - database: reached as that service's role.
    ///   - clock: judges the time of signed requests.
    ///   - bodyLimit: bytes that a signed request's body may have.
    ///   - ask: asks auth for a key that the service has not heard of.
    public init(
        schema: ServiceName, database: Database, clock: any WallClock, bodyLimit: Int = 4 * 1024 * 1024,
        ask: @escaping @Sendable (String) async throws -> TillKeyProjection.Entry?
    ) {
        let find = FindTillKey(schema: schema, database: database, clock: clock, ask: ask)
        let nonces = UsedNonces(schema: schema, database: database)
        self.init(
            clock: clock, bodyLimit: bodyLimit, lookup: { try await find($0) },
            takeNonce: { try await nonces.take($0, of: $1, signedAt: $2, at: $3) })
    }

    init(
        clock: any WallClock, bodyLimit: Int = 4 * 1024 * 1024,
        lookup: @escaping @Sendable (String) async throws -> TillKey?, takeNonce: @escaping TakeNonce
    ) {
        (self.clock, self.bodyLimit, self.lookup, self.takeNonce) = (clock, bodyLimit, lookup, takeNonce)
    }

    public func handle(
        _ request: Request, context: ClubRequestContext,
        next: @concurrent (Request, ClubRequestContext) async throws -> Response
    ) async throws -> Response {
        var request = request
        var context = context
        if let signature = request.headers[.authorization].flatMap({ RequestSignature(authorization: $0) }) {
            context.tillKey = try await self.check(signature, &request)
        } else {
            context.tillKey = try await self.check(request.bearerToken)
        }
        return try await next(request, context)
    }

    private static let invalid = Problem(.apiKeyInvalid, headers: [.wwwAuthenticate: "Bearer"])
    private static let unknownHash = [UInt8](repeating: 0, count: 32)

    private func check(_ token: String?) async throws -> TillKey {
        guard let presented = token.flatMap(Self.parse) else { throw Self.invalid }
        let known = try await self.lookup(presented.id)
        let digest = Array(SHA256.hash(data: Data(presented.secret.utf8)))
        let isRight = ConstantTime.equal(digest, known?.hash ?? Self.unknownHash)
        guard let known, isRight, !known.revoked, !known.scopes.contains(Self.signedScope) else { throw Self.invalid }
        return known
    }

    /// Reads the body, which the signature covers, and leaves it in the request for the route.
    private func check(_ signature: RequestSignature, _ request: inout Request) async throws -> TillKey {
        let announced = request.headers[.contentLength].flatMap { Int($0) } ?? 0
        guard announced <= self.bodyLimit else { throw Problem(.bodyTooLarge) }
        let body: [UInt8]
        do {
            body = Array(try await request.collectBody(upTo: self.bodyLimit).readableBytesView)
        } catch is NIOTooManyBytesError {
            throw Problem(.bodyTooLarge)
        }
        let known = try await self.lookup(signature.key)
        let isRight = signature.isRight(
            hash: known?.hash ?? Self.unknownHash, method: request.method.rawValue, target: request.uri.string,
            body: body)
        guard let known, isRight, !known.revoked else { throw Self.invalid }
        let now = self.clock.now
        let age = now - signature.time
        guard age <= RequestSignature.window, age >= .zero - RequestSignature.window,
            try await self.takeNonce(signature.nonce, signature.key, signature.time, now)
        else { throw Problem(.signatureStale) }
        return known
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

import FoundationEssentials
import HTTPTypes
import JWTKit
public import Kernel

/// Verifies the tokens that auth signs (JWT, EdDSA) without asking auth about each.
public struct AccessTokenVerifier: Sendable {
    /// Longer texts are no tokens of ours.
    private static let lengthLimit = 4096
    /// How far ahead of ours the clock of the machine may be that signed.
    private static let clockSkew = Duration.seconds(60)

    private let clock: any WallClock
    private let signingKeys: SigningKeys
    private let endedSessions: EndedSessions?

    /// - Parameters:
    ///   - minimumInterval: the least time between two fetches of the keys.
    ///   - maximumAge: after which the keys are fetched anew, so that a withdrawn one goes out of use.
    ///   - endedSessions: whose tokens are refused although they have not run out; nil where the caller looks itself.
    ///   - keys: fetches auth's public keys, a JSON Web Key Set (RFC 7517).
    public init(
        clock: any WallClock, minimumInterval: Duration = .seconds(5), maximumAge: Duration = .seconds(600),
        endedSessions: EndedSessions? = nil, keys: @escaping @Sendable () async throws -> String
    ) {
        self.clock = clock
        self.endedSessions = endedSessions
        self.signingKeys = SigningKeys(
            clock: clock, minimumInterval: minimumInterval, maximumAge: maximumAge, fetch: keys)
    }

    /// Reads an access token.
    /// - Throws: `token-invalid`, `token-expired`, `session-ended`, or `temporarily-unavailable` when the keys cannot be
    ///   had.
    public func verify(_ token: String) async throws -> AccessToken {
        let claims = try await self.claims(of: token, as: AccessTokenClaims.self)
        guard claims.purpose == .access else { throw Self.invalid }
        try self.check(issuer: claims.iss, audience: claims.aud, issuedAt: claims.iat, expiresAt: claims.exp)
        try await self.checkSession(claims.sid)
        return AccessToken(
            member: claims.sub, session: claims.sid, expiresAt: Timestamp(secondsSince1970: claims.exp),
            level: claims.acr)
    }

    /// Reads a card token. That it is used once only is for the caller to see to.
    /// - Throws: as ``verify(_:)``.
    public func verifyCard(_ token: String) async throws -> CardToken {
        let claims = try await self.claims(of: token, as: CardTokenClaims.self)
        guard claims.purpose == .card else { throw Self.invalid }
        try self.check(issuer: claims.iss, audience: claims.aud, issuedAt: claims.iat, expiresAt: claims.exp)
        if let session = claims.sid { try await self.checkSession(session) }
        return CardToken(
            member: claims.sub, id: claims.jti, expiresAt: Timestamp(secondsSince1970: claims.exp),
            session: claims.sid)
    }

    /// Reads a colleague's token.
    /// - Throws: as ``verify(_:)``.
    public func verifyStaff(_ token: String) async throws -> StaffToken {
        let claims = try await self.claims(of: token, as: StaffTokenClaims.self)
        guard claims.purpose == .staff else { throw Self.invalid }
        try self.check(issuer: claims.iss, audience: claims.aud, issuedAt: claims.iat, expiresAt: claims.exp)
        if let session = claims.sid { try await self.checkSession(session) }
        return StaffToken(
            staff: claims.sub, roles: Set(claims.roles), expiresAt: Timestamp(secondsSince1970: claims.exp),
            session: claims.sid)
    }

    /// RFC 6750, 3.1.
    private static let invalid = Problem(
        .tokenInvalid, headers: [.wwwAuthenticate: #"Bearer error="invalid_token""#])
    private static let expired = Problem(
        .tokenExpired,
        headers: [.wwwAuthenticate: #"Bearer error="invalid_token", error_description="expired""#])

    private struct Header: Decodable {
        let alg: String
        let kid: String
        let crit: [String]?
    }

    private func claims<Claims: JWTPayload>(of token: String, as _: Claims.Type) async throws -> Claims {
        guard token.utf8.count <= Self.lengthLimit, let encoded = token.split(separator: ".").first,
            let bytes = Base64URL.decode(encoded),
            let header = try? JSONDecoder().decode(Header.self, from: Data(bytes)),
            header.alg == "EdDSA", header.crit == nil,
            let keys = try await self.signingKeys.keySet(with: header.kid)
        else { throw Self.invalid }
        do {
            return try await keys.verifier.verify(token, as: Claims.self)
        } catch {
            throw Self.invalid
        }
    }

    private func checkSession(_ session: Session.ID) async throws {
        guard let ended = self.endedSessions, try await ended.contains(session) else { return }
        throw Problem(.sessionEnded, headers: [.wwwAuthenticate: #"Bearer error="invalid_token""#])
    }

    private func check(
        issuer: String, audience: String, issuedAt: Int64, expiresAt: Int64
    ) throws(Problem) {
        let now = self.clock.now
        guard issuer == TokenNames.issuer, audience == TokenNames.audience,
            Timestamp(secondsSince1970: issuedAt) <= now + Self.clockSkew
        else { throw Self.invalid }
        guard now < Timestamp(secondsSince1970: expiresAt) else { throw Self.expired }
    }
}

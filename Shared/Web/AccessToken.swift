public import JWTKit
public import Kernel

/// How surely the member is who they say.
public enum AssuranceLevel: String, Codable, Comparable, Sendable {
    /// Logged in with an SMS code.
    case basic = "1"
    /// Confirmed this very action with a longer code.
    case stepUp = "2"

    /// Weaker than.
    public static func < (left: Self, right: Self) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// What a verified access token says.
public struct AccessToken: Equatable, Sendable {
    /// Who asks.
    public let member: Member.ID
    /// On which device.
    public let session: Session.ID
    /// Until when the token is good.
    public let expiresAt: Timestamp
    /// How surely.
    public let level: AssuranceLevel

    /// Says what a token says.
    public init(member: Member.ID, session: Session.ID, expiresAt: Timestamp, level: AssuranceLevel) {
        self.member = member
        self.session = session
        self.expiresAt = expiresAt
        self.level = level
    }
}

/// What the code on a member's screen says: good for paying at a till, once, for a short while.
public struct CardToken: Equatable, Sendable {
    /// Whose screen it is.
    public let member: Member.ID
    /// Names the token, so that it can be used once only.
    public let id: String
    /// Until when the token is good.
    public let expiresAt: Timestamp
    /// On which device; a token is of no use any more when that is logged out. nil when it says nothing of it.
    public let session: Session.ID?

    /// Says what a token says.
    public init(member: Member.ID, id: String, expiresAt: Timestamp, session: Session.ID? = nil) {
        self.member = member
        self.id = id
        self.expiresAt = expiresAt
        self.session = session
    }
}

/// Names that every token of the house carries.
public enum TokenNames {
    /// `iss`: who signs.
    public static let issuer = "club-auth"
    /// `aud`: for whom.
    public static let audience = "club"
}

/// What a token is for. One kind is never taken for the other.
enum TokenPurpose: String, Codable, Sendable {
    /// An ``AccessToken``.
    case access
    /// A ``CardToken``.
    case card
    /// A ``StaffToken``.
    case staff
}

/// The claims of an access token (RFC 7519, RFC 9068 in spirit). auth signs them, everybody verifies them.
public struct AccessTokenClaims: JWTPayload, Equatable {
    let iss: String
    let aud: String
    let purpose: TokenPurpose
    let sub: Member.ID
    let sid: Session.ID
    let acr: AssuranceLevel
    let iat: Int64
    let exp: Int64

    /// The claims of `token`, issued now.
    public init(_ token: AccessToken, issuedAt: Timestamp) {
        self.iss = TokenNames.issuer
        self.aud = TokenNames.audience
        self.purpose = .access
        self.sub = token.member
        self.sid = token.session
        self.acr = token.level
        self.iat = issuedAt.secondsSince1970
        self.exp = token.expiresAt.secondsSince1970
    }

    /// The signature only: time, issuer and audience are the ``AccessTokenVerifier``'s, which has the clock.
    public func verify(using algorithm: some JWTAlgorithm) {}
}

/// The claims of a card token. auth signs them, promotions verifies them.
public struct CardTokenClaims: JWTPayload, Equatable {
    let iss: String
    let aud: String
    let purpose: TokenPurpose
    let sub: Member.ID
    let jti: String
    let sid: Session.ID?
    let iat: Int64
    let exp: Int64

    /// The claims of `token`, issued now.
    public init(_ token: CardToken, issuedAt: Timestamp) {
        self.iss = TokenNames.issuer
        self.aud = TokenNames.audience
        self.purpose = .card
        self.sub = token.member
        self.jti = token.id
        self.sid = token.session
        self.iat = issuedAt.secondsSince1970
        self.exp = token.expiresAt.secondsSince1970
    }

    /// The signature only: time, issuer and audience are the ``AccessTokenVerifier``'s, which has the clock.
    public func verify(using algorithm: some JWTAlgorithm) {}
}

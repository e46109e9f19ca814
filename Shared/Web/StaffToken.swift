public import JWTKit
public import Kernel

/// What a colleague may do (services.md, staff).
public enum StaffRole: String, Codable, CaseIterable, Hashable, Sendable {
    case support, supervisor
    case promoEditor = "promo-editor"
    case promoApprover = "promo-approver"
    case financeOperator = "finance-operator"
    case financeApprover = "finance-approver"
    case partnerManager = "partner-manager"
    case storeClerk = "store-clerk"
    case auditor
    case dataProtectionOfficer = "data-protection-officer"
    case sysadmin
}

/// What a verified token of a colleague says.
public struct StaffToken: Equatable, Sendable {
    /// Who asks.
    public let staff: Staff.ID
    /// What they may do.
    public let roles: Set<StaffRole>
    /// Until when the token is good.
    public let expiresAt: Timestamp
    /// On which device; ended sessions are told apart by it. nil where no session stands behind the token.
    public let session: Session.ID?

    /// Says what a token says.
    public init(staff: Staff.ID, roles: Set<StaffRole>, expiresAt: Timestamp, session: Session.ID? = nil) {
        (self.staff, self.roles, self.expiresAt, self.session) = (staff, roles, expiresAt, session)
    }
}

/// The claims of a colleague's token. auth signs them, everybody verifies them.
public struct StaffTokenClaims: JWTPayload, Equatable {
    let iss: String
    let aud: String
    let purpose: TokenPurpose
    let sub: Staff.ID
    let roles: [StaffRole]
    let sid: Session.ID?
    let iat: Int64
    let exp: Int64

    /// The claims of `token`, issued now.
    public init(_ token: StaffToken, issuedAt: Timestamp) {
        self.iss = TokenNames.issuer
        self.aud = TokenNames.audience
        self.purpose = .staff
        self.sub = token.staff
        self.roles = token.roles.sorted { $0.rawValue < $1.rawValue }
        self.sid = token.session
        self.iat = issuedAt.secondsSince1970
        self.exp = token.expiresAt.secondsSince1970
    }

    /// The signature only: time, issuer and audience are the ``AccessTokenVerifier``'s, which has the clock.
    public func verify(using algorithm: some JWTAlgorithm) {}
}

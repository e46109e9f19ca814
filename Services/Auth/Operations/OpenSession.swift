import Kernel
import Postgres
import Web

/// A session just opened or refreshed, before its access token is signed.
struct SessionGrant: Sendable {
    let session: Session.ID
    let member: Member.ID
    let refreshToken: OpaqueToken
    let refreshExpiresAt: Timestamp
}

/// What a client gets to act as a member.
struct Tokens: Sendable {
    let accessToken: String
    let accessExpiresAt: Timestamp
    let refreshToken: OpaqueToken
    let refreshExpiresAt: Timestamp
}

/// Opens a session on a device and signs its tokens.
struct OpenSession: Sendable {
    let clock: any WallClock
    let ids: IDGenerator
    let random: RandomBytes
    let signer: TokenSigner
    let policy: AuthPolicy

    func callAsFunction(
        _ member: Member.ID, device: DeviceName, in transaction: borrowing Transaction
    ) async throws -> SessionGrant {
        let now = self.clock.now
        let grant = SessionGrant(
            session: self.ids.next(), member: member, refreshToken: OpaqueToken(self.random),
            refreshExpiresAt: now + self.policy.refresh.lifetime)
        let store = SessionStore()
        try await store.insert(
            grant.session, of: member, device: device, level: AssuranceLevel.basic.rawValue, at: now, in: transaction)
        try await store.insert(
            grant.refreshToken, of: grant.session, at: now, expiresAt: grant.refreshExpiresAt, in: transaction)
        return grant
    }

    /// Signs the access token of a grant. After the commit: a token for a session that was rolled back must not exist.
    func tokens(for grant: SessionGrant) async throws -> Tokens {
        let access = try await self.signer.signAccessToken(member: grant.member, session: grant.session)
        return Tokens(
            accessToken: access.text, accessExpiresAt: access.expiresAt, refreshToken: grant.refreshToken,
            refreshExpiresAt: grant.refreshExpiresAt)
    }
}

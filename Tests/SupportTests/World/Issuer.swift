import FoundationEssentials
import JWTKit
import Kernel
import Web

/// Signs tokens as auth does.
struct Issuer: Sendable {
    private static let name: JWKIdentifier = "key-1"

    private let key: EdDSA.PrivateKey

    init() throws { self.key = try EdDSA.PrivateKey(curve: .ed25519) }

    /// The public half, as auth publishes it.
    var keySet: String {
        let x = self.key.publicKey.rawRepresentation.base64EncodedString()
            .map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 }.filter { $0 != "=" }
        return #"{"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "key-1", "x": "\#(String(x))"}]}"#
    }

    func accessToken(_ member: Member.ID, at now: Timestamp) async throws -> String {
        let token = AccessToken(
            member: member, session: Session.ID(member.raw), expiresAt: now + .seconds(30 * 86_400), level: .basic)
        return try await self.sign(AccessTokenClaims(token, issuedAt: now))
    }

    func staffToken(_ staff: Staff.ID, _ roles: Set<StaffRole>, at now: Timestamp) async throws -> String {
        let token = StaffToken(staff: staff, roles: roles, expiresAt: now + .seconds(30 * 86_400))
        return try await self.sign(StaffTokenClaims(token, issuedAt: now))
    }

    private func sign(_ claims: some JWTPayload) async throws -> String {
        let keys = await JWTKeyCollection().add(eddsa: self.key, kid: Self.name)
        return try await keys.sign(claims, kid: Self.name)
    }
}

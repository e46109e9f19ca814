import Crypto
import FoundationEssentials
import Kernel
import Web

/// Signs access tokens as auth does, with a key of its own.
struct TokenMint: Sendable {
    private let key = Curve25519.Signing.PrivateKey()
    private static let keyID = "test"

    /// The key set that verifiers fetch (RFC 8037).
    var jwks: String {
        let x = Self.base64URL(self.key.publicKey.rawRepresentation)
        return #"{"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "\#(Self.keyID)", "x": "\#(x)"}]}"#
    }

    func token(of member: Member.ID, at now: Timestamp) throws -> String {
        let token = AccessToken(
            member: member, session: Session.ID(UUID()), expiresAt: now + .seconds(600), level: .basic)
        let claims = try JSONEncoder().encode(AccessTokenClaims(token, issuedAt: now))
        let header = Data(#"{"alg": "EdDSA", "typ": "JWT", "kid": "\#(Self.keyID)"}"#.utf8)
        let signed = Self.base64URL(header) + "." + Self.base64URL(claims)
        return signed + "." + Self.base64URL(try self.key.signature(for: Data(signed.utf8)))
    }

    private static func base64URL(_ data: Data) -> String {
        String(
            data.base64EncodedString().compactMap { character -> Character? in
                switch character {
                case "+": "-"
                case "/": "_"
                case "=": nil
                default: character
                }
            })
    }
}

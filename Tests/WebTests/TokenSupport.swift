import FoundationEssentials
import JWTKit
import Kernel
import NIOConcurrencyHelpers
import Testing
import Web

/// What auth does: signs tokens and publishes the keys.
struct Issuer: Sendable {
    let name: String
    private let key: EdDSA.PrivateKey

    init(_ name: String = "key-1") throws {
        self.name = name
        self.key = try EdDSA.PrivateKey(curve: .ed25519)
    }

    func sign(_ claims: some JWTPayload, header: JWTHeader = JWTHeader()) async throws -> String {
        let keys = await JWTKeyCollection().add(eddsa: self.key, kid: JWKIdentifier(string: self.name))
        return try await keys.sign(claims, kid: JWKIdentifier(string: self.name), header: header)
    }

    var jwk: String {
        let x = self.key.publicKey.rawRepresentation.base64EncodedString()
            .map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 }.filter { $0 != "=" }
        return #"{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "\#(self.name)", "x": "\#(String(x))"}"#
    }

    static func jwks(_ issuers: Issuer...) -> String {
        #"{"keys": [\#(issuers.map(\.jwk).joined(separator: ", "))]}"#
    }
}

/// Claims with each of them to be bent.
struct BentClaims: JWTPayload {
    var iss = TokenNames.issuer
    var aud = TokenNames.audience
    var purpose = "access"
    var sub = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
    var sid: String? = "017f22e2-79b0-7cc3-98c4-dc0c0c073990"
    var jti: String? = "nonce"
    var acr: String? = "1"
    var iat: Int64
    var exp: Int64

    init(at moment: Timestamp) {
        self.iat = moment.secondsSince1970
        self.exp = moment.secondsSince1970 + 600
    }

    func bent(_ change: (inout BentClaims) -> Void) -> BentClaims {
        var claims = self
        change(&claims)
        return claims
    }

    func verify(using algorithm: some JWTAlgorithm) {}
}

/// The place that keys are fetched from: counts, fails and waits as told.
final class KeySource: Sendable {
    private struct State {
        var keys: String
        var fails = false
        var fetches = 0
    }

    private struct Failure: Error {}

    private let state: NIOLockedValueBox<State>

    init(_ keys: String) {
        self.state = NIOLockedValueBox(State(keys: keys))
    }

    var fetches: Int { self.state.withLockedValue { $0.fetches } }

    func publish(_ keys: String) { self.state.withLockedValue { $0.keys = keys } }

    func fail(_ fails: Bool) { self.state.withLockedValue { $0.fails = fails } }

    func fetch() throws -> String {
        try self.state.withLockedValue { state in
            state.fetches += 1
            if state.fails { throw Failure() }
            return state.keys
        }
    }
}

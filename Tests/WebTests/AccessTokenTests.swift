import FoundationEssentials
import Hummingbird
import JWTKit
import Kernel
import TestSupport
import Testing
import Web

@Suite struct AccessTokenTests {
    private let clock = ManualClock()
    private let issuer: Issuer
    private let verifier: AccessTokenVerifier
    private let member: Member.ID
    private let session: Session.ID

    init() throws {
        let issuer = try Issuer()
        self.issuer = issuer
        self.verifier = AccessTokenVerifier(clock: self.clock) { Issuer.jwks(issuer) }
        self.member = try #require(Member.ID("017f22e2-79b0-7cc3-98c4-dc0c0c07398f"))
        self.session = try #require(Session.ID("017f22e2-79b0-7cc3-98c4-dc0c0c073990"))
    }

    private func token(_ change: (inout BentClaims) -> Void = { _ in }) async throws -> String {
        try await self.issuer.sign(BentClaims(at: self.clock.now).bent(change))
    }

    private func refusal(of token: String) async -> String? {
        await #expect(throws: Problem.self) { try await self.verifier.verify(token) }?.kind.code
    }

    @Test func `a token of auth says who asks, on which device, how surely and until when`() async throws {
        let token = AccessToken(
            member: self.member, session: self.session,
            expiresAt: Timestamp(secondsSince1970: self.clock.now.secondsSince1970 + 600), level: .stepUp)
        let text = try await self.issuer.sign(AccessTokenClaims(token, issuedAt: self.clock.now))
        #expect(try await self.verifier.verify(text) == token)
    }

    @Test func `a card token says whose screen it was on`() async throws {
        let token = CardToken(
            member: self.member, id: "n1",
            expiresAt: Timestamp(secondsSince1970: self.clock.now.secondsSince1970 + 60))
        let text = try await self.issuer.sign(CardTokenClaims(token, issuedAt: self.clock.now))
        #expect(try await self.verifier.verifyCard(text) == token)
    }

    @Test func `one kind of token is not taken for the other`() async throws {
        #expect(await self.refusal(of: try await self.token { $0.purpose = "card" }) == "token-invalid")
        let access = try await self.token()
        let refusal = await #expect(throws: Problem.self) { try await self.verifier.verifyCard(access) }
        #expect(refusal?.kind.code == "token-invalid")
        #expect(await self.refusal(of: try await self.token { $0.purpose = "refresh" }) == "token-invalid")
    }

    @Test func `a token is good until the second that it names`() async throws {
        let token = try await self.token()
        self.clock.advance(by: .seconds(599))
        _ = try await self.verifier.verify(token)
        self.clock.advance(by: .seconds(1))
        #expect(await self.refusal(of: token) == "token-expired")
    }

    @Test func `a token from the future is refused, a clock that goes a little wrong is not`() async throws {
        _ = try await self.verifier.verify(try await self.token { $0.iat += 60 })
        #expect(await self.refusal(of: try await self.token { $0.iat += 62 }) == "token-invalid")
    }

    @Test func `a token of another issuer, for another audience or without a claim is refused`() async throws {
        #expect(await self.refusal(of: try await self.token { $0.iss = "club-auth2" }) == "token-invalid")
        #expect(await self.refusal(of: try await self.token { $0.aud = "shop" }) == "token-invalid")
        #expect(await self.refusal(of: try await self.token { $0.sid = nil }) == "token-invalid")
        #expect(await self.refusal(of: try await self.token { $0.acr = "9" }) == "token-invalid")
        #expect(await self.refusal(of: try await self.token { $0.sub = "4711" }) == "token-invalid")
    }

    @Test func `a key of the same name that is not auth's signs nothing`() async throws {
        let forged = try await Issuer().sign(BentClaims(at: self.clock.now))
        #expect(await self.refusal(of: forged) == "token-invalid")
    }

    @Test func `changed claims do not fit the signature`() async throws {
        let parts = try await self.token().split(separator: ".")
        let other = try await self.token { $0.sub = "017f22e2-79b0-7cc3-98c4-dc0c0c073999" }.split(separator: ".")
        #expect(await self.refusal(of: "\(parts[0]).\(other[1]).\(parts[2])") == "token-invalid")
    }

    /// RFC 8725, 3.1: the verifier decides which algorithm is used, whoever signed and whatever the header says.
    @Test(arguments: ["none", "HS256", "ES256", "eddsa"])
    func `another algorithm is refused, whoever signed`(algorithm: String) async throws {
        var header = JWTHeader()
        header.alg = algorithm
        let token = try await self.issuer.sign(BentClaims(at: self.clock.now), header: header)
        #expect(await self.refusal(of: token) == "token-invalid")
        let parts = token.split(separator: ".")
        #expect(await self.refusal(of: "\(parts[0]).\(parts[1]).") == "token-invalid")
    }

    @Test func `a header with an extension that must be understood is refused`() async throws {
        var header = JWTHeader()
        header.crit = ["exp"]
        let token = try await self.issuer.sign(BentClaims(at: self.clock.now), header: header)
        #expect(await self.refusal(of: token) == "token-invalid")
    }

    @Test(arguments: ["", ".", "..", "a.b.c", "e30.e30.e30", "x", String(repeating: "a", count: 5000)])
    func `garbage is refused`(token: String) async {
        #expect(await self.refusal(of: token) == "token-invalid")
    }

    @Test func `a key set may hold keys of other kinds`() async throws {
        let rsa = #"{"kty": "RSA", "kid": "r", "n": "AQAB", "e": "AQAB"}"#
        let nameless = #"{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": "AA"}"#
        let jwks = #"{"keys": [\#(rsa), \#(nameless), \#(self.issuer.jwk)]}"#
        let verifier = AccessTokenVerifier(clock: self.clock) { jwks }
        _ = try await verifier.verify(try await self.token())
    }
}

@Suite struct SigningKeysTests {
    private let clock = ManualClock()
    private let first: Issuer
    private let second: Issuer
    private let source: KeySource
    private let verifier: AccessTokenVerifier

    init() throws {
        self.first = try Issuer("key-1")
        self.second = try Issuer("key-2")
        let source = KeySource(Issuer.jwks(self.first))
        self.source = source
        self.verifier = AccessTokenVerifier(
            clock: self.clock, minimumInterval: .seconds(5), maximumAge: .seconds(600)
        ) { try source.fetch() }
    }

    private func verify(_ issuer: Issuer) async throws {
        _ = try await self.verifier.verify(try await issuer.sign(BentClaims(at: self.clock.now)))
    }

    private func refusal(of issuer: Issuer) async -> String? {
        await #expect(throws: Problem.self) { try await self.verify(issuer) }?.kind.code
    }

    @Test func `keys are fetched once for many tokens`() async throws {
        for _ in 0..<20 { try await self.verify(self.first) }
        #expect(self.source.fetches == 1)
    }

    @Test func `an unknown key is looked for at most once in five seconds`() async throws {
        try await self.verify(self.first)
        for _ in 0..<20 { #expect(await self.refusal(of: self.second) == "token-invalid") }
        #expect(self.source.fetches == 1)
        self.clock.advance(by: .seconds(5))
        for _ in 0..<20 { #expect(await self.refusal(of: self.second) == "token-invalid") }
        #expect(self.source.fetches == 2)
    }

    @Test func `a new key of auth is good as soon as it is found`() async throws {
        try await self.verify(self.first)
        self.source.publish(Issuer.jwks(self.first, self.second))
        self.clock.advance(by: .seconds(5))
        try await self.verify(self.second)
        try await self.verify(self.first)
        #expect(self.source.fetches == 2)
    }

    @Test func `a withdrawn key goes out of use`() async throws {
        try await self.verify(self.first)
        self.source.publish(Issuer.jwks(self.second))
        self.clock.advance(by: .seconds(600))
        #expect(await self.refusal(of: self.first) == "token-invalid")
    }

    @Test func `while auth is away, known keys stay good and unknown ones are for later`() async throws {
        try await self.verify(self.first)
        self.source.fail(true)
        self.clock.advance(by: .seconds(601))
        try await self.verify(self.first)
        #expect(await self.refusal(of: self.second) == "temporarily-unavailable")
        #expect(self.source.fetches == 2)
        self.source.fail(false)
        self.clock.advance(by: .seconds(5))
        #expect(await self.refusal(of: self.second) == "token-invalid")
    }

    @Test func `without any keys nobody is turned away for good`() async throws {
        self.source.fail(true)
        #expect(await self.refusal(of: self.first) == "temporarily-unavailable")
        self.source.publish("{")
        self.source.fail(false)
        self.clock.advance(by: .seconds(5))
        #expect(await self.refusal(of: self.first) == "temporarily-unavailable")
        self.source.publish(Issuer.jwks(self.first))
        self.clock.advance(by: .seconds(5))
        try await self.verify(self.first)
    }

    @Test func `a clock that was set back does not keep keys from being fetched`() async throws {
        try await self.verify(self.first)
        self.source.publish(Issuer.jwks(self.first, self.second))
        self.clock.advance(by: .seconds(-3600))
        try await self.verify(self.second)
    }

    @Test func `many who ask at once cause one fetch, and the first giving up does not fail the others`() async throws {
        let (source, started, release) = (self.source, Signal<Void>(), Signal<Void>())
        let verifier = AccessTokenVerifier(clock: self.clock) {
            started.send()
            try await release.next()
            return try source.fetch()
        }
        let token = try await self.first.sign(BentClaims(at: self.clock.now))
        try await withThrowingTaskGroup(of: Void.self) { group in
            let impatient = Task { try await verifier.verify(token) }
            try await started.next()
            let asking = Signal<Void>()
            for _ in 0..<20 {
                group.addTask {
                    asking.send()
                    _ = try await verifier.verify(token)
                }
            }
            _ = try await asking.next(20)
            impatient.cancel()
            release.send()
            try await group.waitForAll()
        }
        #expect(source.fetches == 1)
    }
}

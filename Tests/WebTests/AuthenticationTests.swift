import Crypto
import FoundationEssentials
import HTTPTypes
import Hummingbird
import Kernel
import TestSupport
import Testing

@testable import Web

@Suite struct MemberAuthenticationTests {
    private let clock = ManualClock()
    private let issuer: Issuer
    private let house: House

    init() throws {
        let issuer = try Issuer()
        self.issuer = issuer
        let verifier = AccessTokenVerifier(clock: self.clock) { Issuer.jwks(issuer) }
        self.house = House { router in
            router.get("/open") { _, context in
                try Response.json(["member": context.requireMember().member.description])
            }
            router.group("/me").add(middleware: MemberAuthentication(verifier: verifier)).get { _, context in
                try Response.json(["member": context.requireMember().member.description])
            }
            router.group("/step-up").add(middleware: MemberAuthentication(verifier: verifier, level: .stepUp))
                .get { _, _ in Response(status: .ok) }
        }
    }

    private func token(_ change: (inout BentClaims) -> Void = { _ in }) async throws -> String {
        try await self.issuer.sign(BentClaims(at: self.clock.now).bent(change))
    }

    @Test(arguments: ["Bearer", "bearer", "BEARER "])
    func `a member with a token gets in`(scheme: String) async throws {
        let reply = try await self.house.send(.get, "/me", headers: [.authorization: "\(scheme) \(self.token())"])
        #expect(try reply.decode([String: String].self) == ["member": "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"])
    }

    @Test(arguments: [nil, "Basic dXNlcjpwYXNz", "Bearer", "Bearer ", "token"] as [String?])
    func `without a token one is asked for`(header: String?) async throws {
        var headers: HTTPFields = [:]
        headers[.authorization] = header
        let reply = try await self.house.send(.get, "/me", headers: headers)
        #expect(reply.status == .unauthorized)
        #expect(try reply.problem.code == "token-missing")
        #expect(reply.headers[.wwwAuthenticate] == "Bearer")
    }

    @Test func `a bad token is told from an old one, as RFC 6750 has it`() async throws {
        let bad = try await self.house.send(.get, "/me", headers: .bearer("a.b.c"))
        #expect(try bad.problem.code == "token-invalid")
        #expect(bad.headers[.wwwAuthenticate] == #"Bearer error="invalid_token""#)
        let old = try await self.house.send(.get, "/me", headers: .bearer(self.token { $0.exp = $0.iat }))
        #expect(old.status == .unauthorized)
        #expect(try old.problem.code == "token-expired")
        #expect(old.headers[.wwwAuthenticate] == #"Bearer error="invalid_token", error_description="expired""#)
    }

    @Test func `a route may ask for more than a login`() async throws {
        let basic = try await self.house.send(.get, "/step-up", headers: .bearer(self.token()))
        #expect(basic.status == .forbidden)
        #expect(try basic.problem.code == "level-too-low")
        let stepUp = try await self.house.send(.get, "/step-up", headers: .bearer(self.token { $0.acr = "2" }))
        #expect(stepUp.status == .ok)
    }

    @Test func `a route that forgot to ask for a login does not have a member`() async throws {
        let reply = try await self.house.send(.get, "/open", headers: .bearer(self.token()))
        #expect(try reply.problem.code == "token-missing")
    }
}

@Suite struct TillAuthenticationTests {
    private static let keys: [String: TillKey] = [
        "t1": Self.key("t1", secret: "s3cr_et", store: "s1", scopes: ["receipts"]),
        "t2": Self.key("t2", secret: "other", store: nil, scopes: ["receipts", "spend"]),
        "gone": Self.key("gone", secret: "s3cr_et", store: nil, scopes: ["receipts"], revoked: true),
        "broken": TillKey(id: "broken", hash: [], store: nil, scopes: [], revoked: false),
    ]

    private static func key(
        _ id: String, secret: String, store: String?, scopes: Set<String>, revoked: Bool = false
    ) -> TillKey {
        TillKey(
            id: id, hash: Array(SHA256.hash(data: Data(secret.utf8))), store: store.flatMap { StoreID($0) },
            scopes: scopes, revoked: revoked)
    }

    private let house = House { router in
        let tills = router.group("/pos").add(
            middleware: TillAuthentication(
                clock: ManualClock(), lookup: { Self.keys[$0] }, takeNonce: { _, _, _, _ in true }))
        tills.post("who") { _, context in try Response.json(["till": context.requireTill().id]) }
        tills.group("spend").add(middleware: RequireScope("spend")).post { _, _ in Response(status: .ok) }
        tills.post("store/{store}") { _, context in
            let store = try #require(context.parameters.get("store").flatMap { StoreID($0) })
            try context.requireTill().require(store: store)
            return Response(status: .ok)
        }
        router.post("/open") { _, context in try Response.json(["till": context.requireTill().id]) }
    }

    @Test func `a till with its key gets in`() async throws {
        let reply = try await self.house.send(.post, "/pos/who", headers: .bearer("ck_t1_s3cr_et"))
        #expect(try reply.decode([String: String].self) == ["till": "t1"])
    }

    @Test(arguments: [
        "ck_t1_s3cr_e", "ck_t1_s3cr_et2", "ck_t1_", "ck_t1", "ck__s3cr_et", "ck_t2_s3cr_et", "ck_unknown_s3cr_et",
        "ck_gone_s3cr_et", "xx_t1_s3cr_et", "t1_s3cr_et", "ck_broken_", "ck_broken_x", "a.b.c",
        "ck_t1_" + String(repeating: "x", count: 300),
    ])
    func `every other key is refused in the same words`(key: String) async throws {
        let reply = try await self.house.send(.post, "/pos/who", headers: .bearer(key))
        #expect(reply.status == .unauthorized)
        #expect(reply.headers[.wwwAuthenticate] == "Bearer")
        let without = try await self.house.send(.post, "/pos/who")
        #expect(try reply.problem == without.problem)
        #expect(try reply.problem.code == "api-key-invalid")
    }

    @Test func `a key opens what its scopes say`() async throws {
        let without = try await self.house.send(.post, "/pos/spend", headers: .bearer("ck_t1_s3cr_et"))
        #expect(without.status == .forbidden)
        #expect(try without.problem.code == "api-key-scope")
        #expect(try await self.house.send(.post, "/pos/spend", headers: .bearer("ck_t2_other")).status == .ok)
    }

    @Test func `a key of one store does not speak for another`() async throws {
        #expect(try await self.house.send(.post, "/pos/store/s1", headers: .bearer("ck_t1_s3cr_et")).status == .ok)
        let foreign = try await self.house.send(.post, "/pos/store/s2", headers: .bearer("ck_t1_s3cr_et"))
        #expect(foreign.status == .forbidden)
        #expect(try foreign.problem.code == "api-key-store")
        #expect(try await self.house.send(.post, "/pos/store/s2", headers: .bearer("ck_t2_other")).status == .ok)
    }

    @Test func `a route that forgot to ask for a key does not have a till`() async throws {
        let reply = try await self.house.send(.post, "/open", headers: .bearer("ck_t1_s3cr_et"))
        #expect(try reply.problem.code == "api-key-invalid")
    }
}

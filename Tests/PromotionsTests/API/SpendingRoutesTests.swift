import Contracts
import FoundationEssentials
import HTTPTypes
import HummingbirdTesting
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Promotions

@Suite(.promotionsDatabase, .capturedLogs) struct SpendingRoutesTests {
    private let neighbours = Neighbours()

    /// A payment for a receipt of 100 roubles.
    private func payment(_ token: String, points: Int64, store: String = "1", tags: String = "") -> String {
        """
        {"cardToken": "\(token)", "store": "\(store)", "points": \(points), "total": 10000, "lines":
        [{"position": 1, "sku": "a", "quantity": 1000, "price": 10000, "sum": 10000, "tags": [\(tags)]}]}
        """
    }

    private func authorise(
        _ body: String, _ client: any TestClientProtocol, under key: String = "1"
    ) async throws -> Answered {
        try await client.ask(
            .post, "/pos/v1/authorisations", body, headers: [try #require(HTTPField.Name("Idempotency-Key")): key])
    }

    private func end(
        _ id: Hold.ID, _ verb: String, _ body: String? = nil, _ client: any TestClientProtocol
    ) async throws -> Answered {
        try await client.ask(.post, "/pos/v1/authorisations/\(id)/\(verb)", body)
    }

    @Test func `points are set aside by the token of a screen, taken in part, and the end is final`() async throws {
        let world = try await TillWorld()
        let body = self.payment(try await world.issuer.cardToken(world.member, id: "t1"), points: 500)
        self.neighbours.grants(500)
        try await self.neighbours.run(around: world) {
            try await world.client { client in
                let placed = try await self.authorise(body, client)
                #expect(placed.status == 201)
                let seen: AuthorisationSeen = try placed.read()
                #expect(seen.state == "placed")
                #expect(!placed.text.contains(world.member.description))
                // The same request again: the same hold, and the ledger is not asked.
                let again = try await self.authorise(body, client)
                #expect(again.status == 200)
                #expect(again.isReplayed)
                #expect(again.text == placed.text)
                let tooMuch = try await self.end(seen.authorisation, "capture", #"{"points": 501}"#, client)
                #expect(tooMuch.problem?.code == "points-over-authorised")
                for _ in 0..<2 {
                    let captured = try await self.end(seen.authorisation, "capture", #"{"points": 300}"#, client)
                    #expect(captured.status == 200)
                    #expect(try captured.read(AuthorisationSeen.self).captured == Points(300))
                    #expect(try captured.read(AuthorisationSeen.self).state == "captured")
                }
                let otherwise = try await self.end(seen.authorisation, "capture", "{}", client)
                #expect(otherwise.status == 200)
                let more = try await self.end(seen.authorisation, "capture", #"{"points": 400}"#, client)
                #expect(more.status == 409)
                #expect(more.problem?.code == "authorisation-ended")
                let void = try await self.end(seen.authorisation, "void", nil, client)
                #expect(void.problem?.state == "captured")
            }
        }
        #expect(self.neighbours.questions == ["hold 500", "capture 300"])
    }

    @Test func `points that were set aside are given back`() async throws {
        let world = try await TillWorld()
        let body = self.payment(try await world.issuer.cardToken(world.member, id: "t1"), points: 10)
        self.neighbours.grants(10)
        try await self.neighbours.run(around: world) {
            try await world.client { client in
                let seen: AuthorisationSeen = try await self.authorise(body, client).read()
                for _ in 0..<2 {
                    let voided: AuthorisationSeen = try await self.end(seen.authorisation, "void", nil, client).read()
                    #expect(voided.state == "voided")
                }
                #expect(try await self.end(seen.authorisation, "capture", "{}", client).problem?.state == "voided")
            }
        }
        #expect(self.neighbours.questions == ["hold 10", "void"])
    }

    @Test func `a hold that ran out is told as lapsed`() async throws {
        let world = try await TillWorld()
        let body = self.payment(try await world.issuer.cardToken(world.member, id: "t1"), points: 10)
        self.neighbours.grants(10)
        self.neighbours.refusesCaptures(.holdExpired)
        try await self.neighbours.run(around: world) {
            try await world.client { client in
                let seen: AuthorisationSeen = try await self.authorise(body, client).read()
                for _ in 0..<2 {
                    let refused = try await self.end(seen.authorisation, "capture", "{}", client)
                    #expect(refused.problem?.code == "authorisation-ended")
                    #expect(refused.problem?.state == "lapsed")
                }
            }
        }
        #expect(self.neighbours.questions == ["hold 10", "capture 10"])
    }

    @Test func `too few points are refused, and the refusal is repeated`() async throws {
        let world = try await TillWorld()
        let body = self.payment(try await world.issuer.cardToken(world.member, id: "t1"), points: 500)
        self.neighbours.grants(499)
        try await self.neighbours.run(around: world) {
            try await world.client { client in
                for _ in 0..<2 {
                    let refused = try await self.authorise(body, client)
                    #expect(refused.status == 409)
                    #expect(refused.problem?.code == "insufficient-points")
                    #expect(refused.problem?.available == 499)
                }
            }
        }
        #expect(self.neighbours.questions == ["hold 500"])
    }

    @Test func `a token authorises once, whatever the key`() async throws {
        let world = try await TillWorld()
        let token = try await world.issuer.cardToken(world.member, id: "t1")
        self.neighbours.grants(1000)
        let (ten, eleven) = (self.payment(token, points: 10), self.payment(token, points: 11))
        try await self.neighbours.run(around: world) {
            try await world.client { client in
                #expect(try await self.authorise(ten, client).status == 201)
                let used = try await self.authorise(ten, client, under: "2")
                #expect(used.problem?.code == "card-token-used")
                let reused = try await self.authorise(eleven, client)
                #expect(reused.status == 422)
                #expect(reused.problem?.code == "idempotency-key-reused")
            }
        }
        #expect(self.neighbours.questions == ["hold 10"])
    }

    @Test func `one payment asked for by eight requests at once holds once`() async throws {
        let world = try await TillWorld()
        let body = self.payment(try await world.issuer.cardToken(world.member, id: "t1"), points: 10)
        self.neighbours.grants(1000)
        try await self.neighbours.run(around: world) {
            try await world.client { client in
                try await withThrowingTaskGroup(of: Answered.self) { group in
                    for _ in 0..<8 { group.addTask { try await self.authorise(body, client) } }
                    var seen: Set<AuthorisationSeen> = []
                    for try await answer in group { seen.insert(try answer.read()) }
                    #expect(seen.count == 1)
                }
            }
        }
        let row = try await world.owner.one("select count(*), min(state) from promotions.authorisation")
        let (count, state) = try row.decode(Int64.self, String.self)
        #expect((count, state) == (1, "placed"))
    }

    @Test func `a request that the ledger did not answer goes on where it stopped`() async throws {
        let world = try await TillWorld()
        let body = self.payment(try await world.issuer.cardToken(world.member, id: "t1"), points: 10)
        self.neighbours.grants(10)
        try await world.client { client in
            // The ledger's answer does not come in time.
            let silent = try await self.neighbours.run(around: world, isLedgerThere: false) {
                try await self.authorise(body, client)
            }
            #expect(silent.status == 503)
            #expect(silent.problem?.code == "undecided")
            #expect(silent.headers[.retryAfter] != nil)
            // The token has run out meanwhile, and was good when the payment began.
            world.clock.advance(by: .seconds(120))
            let seen: AuthorisationSeen = try await self.neighbours.run(around: world) {
                try await self.authorise(body, client).read()
            }
            #expect(seen.state == "placed")
        }
        let holds = Set(self.neighbours.questions)
        #expect(holds == ["hold 10"])
    }

    @Test(arguments: [(990, 201), (991, 422)] as [(Int64, Int)])
    func `at most 99 percent of a receipt is paid with points`(points: Int64, status: Int) async throws {
        let world = try await TillWorld()
        let body = self.payment(try await world.issuer.cardToken(world.member, id: "t1"), points: points)
        self.neighbours.grants(5000)
        let answer = try await self.neighbours.run(around: world) {
            try await world.client { try await self.authorise(body, $0) }
        }
        #expect(answer.status == status)
        if status == 422 {
            #expect(answer.problem?.code == "points-over-limit")
            #expect(answer.problem?.limit == 990)
        }
    }

    @Test func `what may not be paid with points, or not by this till, asks nobody and writes nothing`() async throws {
        let world = try await TillWorld()
        try await world.addKey("poor", store: "1", scopes: ["receipts"])
        let token = try await world.issuer.cardToken(world.member, id: "t1")
        let stale = try await world.issuer.cardToken(world.member, id: "t2", expiresAt: Make.noon - .seconds(1))
        let access = try await world.issuer.accessToken(world.member)
        let stranger = try await Issuer().cardToken(world.member, id: "t3")
        let before = try await world.footprint()
        let cases = [
            (self.payment(token, points: 1, tags: #""tobacco""#), "points-over-limit"),
            (self.payment(token, points: 1, store: "2"), "foreign-store"),
            (self.payment(token, points: 0), "invalid-points"), (self.payment(token, points: -1), "invalid-points"),
            (self.payment(stale, points: 1), "card-token-invalid"),
            (self.payment(access, points: 1), "card-token-invalid"),
            (self.payment(stranger, points: 1), "card-token-invalid"),
            (self.payment(TillWorld.card.digits, points: 1), "card-token-invalid"),
        ]
        try await world.client { client in
            for (body, code) in cases {
                #expect(try await self.authorise(body, client).problem?.code == code)
            }
            let keyless = try await client.ask(.post, "/pos/v1/authorisations", self.payment(token, points: 1))
            #expect(keyless.problem?.code == "idempotency-key-required")
            let poor = try await client.ask(
                .post, "/pos/v1/authorisations", self.payment(token, points: 1), key: "ck_poor_secret")
            #expect(poor.problem?.code == "api-key-scope")
        }
        #expect(try await world.footprint() == before)
        #expect(!CapturedLogs.text.contains(token))
    }

    @Test func `a lock that auth has set and nobody has told yet holds all the same`() async throws {
        let world = try await TillWorld()
        self.neighbours.grants(500)
        self.neighbours.locks(world.member)
        let body = self.payment(try await world.issuer.cardToken(world.member, id: "t1"), points: 10)
        try await self.neighbours.run(around: world) {
            try await world.client { client in
                let refused = try await self.authorise(body, client)
                #expect(refused.status == 409 && refused.problem?.code == "spending-locked")
            }
        }
        #expect(self.neighbours.questions.isEmpty, "no points were set aside")
    }

    @Test func `while auth does not say whether a member may spend nothing is spent`() async throws {
        let world = try await TillWorld()
        let body = self.payment(try await world.issuer.cardToken(world.member, id: "t1"), points: 10)
        let answer = try await world.client { try await self.authorise(body, $0) }
        #expect(answer.status == 503 && answer.problem?.code == "undecided")
        #expect(try await world.count("select count(*) from promotions.authorisation") == 0)
    }

    @Test func `an authorisation of another store does not exist`() async throws {
        let world = try await TillWorld()
        try await world.addKey("till2", store: "2", scopes: ["spend"])
        let body = self.payment(try await world.issuer.cardToken(world.member, id: "t1"), points: 10)
        self.neighbours.grants(10)
        try await self.neighbours.run(around: world) {
            try await world.client { client in
                let seen: AuthorisationSeen = try await self.authorise(body, client).read()
                let paths = ["\(seen.authorisation)", "01936f2a-7c1e-7000-8000-000000000002", "nonsense"]
                for path in paths {
                    for verb in ["capture", "void"] {
                        let answer = try await client.ask(
                            .post, "/pos/v1/authorisations/\(path)/\(verb)", "{}", key: "ck_till2_secret")
                        #expect(answer.status == 404)
                        #expect(answer.problem?.code == "not-found")
                    }
                }
            }
        }
        #expect(self.neighbours.questions == ["hold 10"])
    }
}

import Contracts
import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Kernel
import Postgres
import TestSupport
import Testing
import Web

@testable import Ledger

@Suite(.ledger) struct APITests {
    @Test func `a member sees the balance in points and in kopecks`() async throws {
        try await API.run { api in
            let member = api.books.member()
            try await api.books.earn(100, for: member)
            try await api.books.earn(50, .promotional, for: member)
            try await api.books.place(api.books.ids.next(), 20, for: member)

            let balance = try await api.get("/v1/balance", as: member).json(BalanceAnswer.self)
            #expect(balance.available == Amount(points: 130, kopecks: 1300))
            #expect(balance.held == Amount(points: 20, kopecks: 200))
            #expect(balance.pending == Amount(points: 0, kopecks: 0))
            #expect(balance.debt == Amount(points: 0, kopecks: 0))
            #expect(balance.expiringNext?.amount == Amount(points: 30, kopecks: 300))
            #expect(balance.expiringNext?.expiresAt == "2026-04-01T21:00:00Z")

            let lots = try await api.get("/v1/lots", as: member).json(LotsAnswer.self)
            #expect(lots.total == balance.available)
            #expect(lots.days.map(\.amount.points) == [30, 100])
            #expect(lots.days.map { $0.classes.map(\.lotClass) } == [["promotional"], ["regular"]])
        }
    }

    @Test func `a member who has never earned has nothing, which is no error`() async throws {
        try await API.run { api in
            let member = api.books.member()
            let balance = try await api.get("/v1/balance", as: member).json(BalanceAnswer.self)
            #expect(balance.available == Amount(points: 0, kopecks: 0))
            #expect(balance.expiringNext == nil)
            #expect(try await api.get("/v1/feed", as: member).json(FeedAnswer.self).items.isEmpty)
        }
    }

    @Test func `the feed is paged by its own cursor`() async throws {
        try await API.run { api in
            let member = api.books.member()
            try await api.books.post(try (1...7).map { try api.books.receipt(of: member, [.of($0)]) })
            var points: [Int64] = []
            var path = "/v1/feed?limit=3"
            var pages = 0
            while true {
                let page = try await api.get(path, as: member).json(FeedAnswer.self)
                points += page.items.map(\.amount.points)
                pages += 1
                guard let next = page.next else { break }
                path = "/v1/feed?limit=3&cursor=\(next)"
            }
            #expect(points == [7, 6, 5, 4, 3, 2, 1])
            #expect(pages == 3)
        }
    }

    @Test func `a line names its receipt, rule, lots and both times`() async throws {
        try await API.run { api in
            let member = api.books.member()
            let receipt = try api.books.receipt(of: member, [.of(12)])
            let outcome = try #require(try await api.books.post([receipt]).first)
            let line = try await api.get("/v1/transactions/\(outcome.transaction)", as: member).json(
                FeedAnswer.Line.self)

            #expect(line.kind == "earn")
            #expect(line.direction == "in")
            #expect(line.receipt?.id == receipt.receipt.description)
            #expect(line.receipt?.totalKopecks == 123_400)
            #expect(line.movements.map(\.rule) == ["base-regular"])
            #expect(line.movements.first?.lot?.number == 1)
            #expect(line.change == Amount(points: 12, kopecks: 120))
            #expect(line.effectiveAt == receipt.effectiveAt.description)
            #expect(line.recordedAt == api.books.clock.now.description)
        }
    }

    /// Whoever asks about somebody else's must not learn that it exists.
    @Test func `a transaction of somebody else is answered exactly like one that does not exist`() async throws {
        try await API.run { api in
            let (member, stranger) = (api.books.member(), api.books.member())
            let outcome = try await api.books.earn(12, for: member)
            try await api.books.earn(5, for: stranger)

            let foreign = try await api.get("/v1/transactions/\(outcome.transaction)", as: stranger)
            let missing = try await api.get("/v1/transactions/\(api.books.ids.uuid())", as: stranger)
            let garbled = try await api.get("/v1/transactions/7", as: stranger)
            #expect(foreign.status == .notFound)
            #expect(foreign.problem == "not-found")
            #expect(foreign == missing)
            #expect(foreign == garbled)
        }
    }

    @Test func `a proof is given of the own sealed transactions and of nothing else`() async throws {
        try await API.run { api in
            let (member, stranger) = (api.books.member(), api.books.member())
            let id = try await api.books.earn(12, for: member).transaction
            let early = try await api.get("/v1/transactions/\(id)/proof", as: member)
            #expect(early.status == .conflict)
            #expect(early.problem == "not-sealed-yet")
            try await api.books.seal()

            let answer = try await api.get("/v1/transactions/\(id)/proof", as: member)
            #expect(answer.cacheControl == "no-store")
            let proof = try answer.json(TransactionProof.self)
            #expect(proof.transaction.id == id)
            #expect(proof.flaws().isEmpty)
            let foreign = try await api.get("/v1/transactions/\(id)/proof", as: stranger)
            let missing = try await api.get("/v1/transactions/\(api.books.ids.uuid())/proof", as: stranger)
            #expect(foreign.status == .notFound)
            #expect(foreign == missing)
        }
    }

    @Test func `a member reads the past by either time, and the statement as a file`() async throws {
        try await API.run { api in
            let member = api.books.member()
            let hold = api.books.ids.next(Hold.self)
            try await api.books.earn(100, for: member)
            try await api.books.place(hold, 20, for: member)
            let balance = try await api.get("/v1/balance", as: member).json(BalanceAnswer.self)
            #expect(balance.holds.map(\.amount.points) == [20])
            #expect(balance.holds.map(\.purpose) == ["till"])

            let moment = api.books.clock.now - .seconds(30)
            let path = "/v1/balance/at?moment=\(moment)"
            #expect(try await api.get(path, as: member).json(PastAnswer.self).available.points == 0)
            let effective = try await api.get(path + "&by=effective", as: member).json(PastAnswer.self)
            #expect(effective.available == Amount(points: 100, kopecks: 1000))

            let csv = try await api.get("/v1/statement", as: member)
            #expect(csv.status == .ok)
            #expect(csv.cacheControl == "no-store")
            #expect(String(decoding: csv.body, as: UTF8.self).contains(",hold,20,-20,80,till,"))
            let subject = try await api.get("/v1/feed?subject=\(hold)&kind=hold,capture", as: member)
            #expect(try subject.json(FeedAnswer.self).items.map(\.kind) == ["hold"])
        }
    }

    @Test func `a transaction that is not what was sealed is an error of ours, not a proof`() async throws {
        try await API.run { api in
            let member = api.books.member()
            let id = try await api.books.earn(12, for: member).transaction
            try await api.books.seal()
            try await api.books.tamper("update ledger.posting set rule = 'another'")
            #expect(try await api.get("/v1/transactions/\(id)/proof", as: member).status == .internalServerError)
        }
    }

    private static let refused: [(path: String, problem: String)] = [
        ("/v1/feed?cursor=7", "invalid-cursor"), ("/v1/feed?cursor=", "invalid-cursor"),
        ("/v1/feed?cursor=eyJhIjoxfQ", "invalid-cursor"), ("/v1/feed?limit=0", "invalid-value"),
        ("/v1/feed?limit=101", "invalid-value"), ("/v1/feed?limit=ten", "invalid-value"),
        ("/v1/feed?kind=gift", "invalid-value"), ("/v1/feed?kind=", "invalid-value"),
        ("/v1/feed?subject=7", "invalid-value"), ("/v1/balance/at", "invalid-value"),
        ("/v1/balance/at?moment=2026-03-02T07:10:00Z&by=heart", "invalid-value"),
        ("/v1/balance/at?moment=once", "invalid-value"), ("/v1/statement?format=doc", "invalid-value"),
        ("/v1/feed?direction=sideways", "invalid-value"), ("/v1/feed?from=yesterday", "invalid-value"),
        ("/v1/feed?to=2026-13-01T00:00:00Z", "invalid-value"),
    ]

    @Test func `what cannot be read is refused with a stable code`() async throws {
        try await API.run { api in
            let member = api.books.member()
            for (path, problem) in Self.refused {
                let answer = try await api.get(path, as: member)
                #expect(answer.status == .badRequest, "\(path)")
                #expect(answer.problem == problem, "\(path)")
            }
        }
    }

    @Test(arguments: [
        "/v1/balance", "/v1/balance/at?moment=2026-03-02T07:10:00Z", "/v1/statement", "/v1/lots", "/v1/feed",
        "/v1/transactions/01a20658-b488-7000-befc-ffe63a4182c1",
        "/v1/transactions/01a20658-b488-7000-befc-ffe63a4182c1/proof",
    ])
    func `nobody gets in without a token of ours`(path: String) async throws {
        try await API.run { api in
            let member = api.books.member()
            #expect(try await api.get(path, token: nil).problem == "token-missing")
            let forged = try TokenMint().token(of: member, at: api.books.clock.now)
            #expect(try await api.get(path, token: forged).problem == "token-invalid")
            let old = try api.mint.token(of: member, at: api.books.clock.now - .seconds(601))
            #expect(try await api.get(path, token: old).problem == "token-expired")
        }
    }

    @Test func `no answer about a member is kept by a cache`() async throws {
        try await API.run { api in
            let member = api.books.member()
            for path in ["/v1/balance", "/v1/lots", "/v1/feed"] {
                let answer = try await api.get(path, as: member)
                #expect(answer.cacheControl == "no-store")
            }
        }
    }
}

/// The ledger's routes in a router of the house, without a socket.
private struct API: Sendable {
    let books: Books
    let mint: TokenMint
    private let client: any TestClientProtocol

    static func run(_ body: @Sendable (API) async throws -> Void) async throws {
        let books = try await Books()
        let mint = TokenMint()
        let routes = LedgerRoutes(
            account: books.account, proofs: books.prove,
            statements: StatementRoutes(make: books.statement, print: PDFPrinter()), rate: .programme,
            authentication: MemberAuthentication(verifier: AccessTokenVerifier(clock: books.clock) { mint.jwks }))
        let pages = ServicePages(openAPI: "", metrics: { "" }, readiness: [])
        let router = HouseRouter.make(pages: pages) { routes.add(to: $0) }
        try await Application(router: router).test(.router) { client in
            try await body(API(books: books, mint: mint, client: client))
        }
    }

    func get(_ path: String, as member: Member.ID) async throws -> APIAnswer {
        try await self.get(path, token: try self.mint.token(of: member, at: self.books.clock.now))
    }

    func get(_ path: String, token: String?) async throws -> APIAnswer {
        let headers: HTTPFields = token.map { [.authorization: "Bearer \($0)"] } ?? [:]
        return try await self.client.execute(uri: path, method: .get, headers: headers) { response in
            APIAnswer(
                status: response.status, cacheControl: response.headers[.cacheControl],
                body: Data(response.body.readableBytesView))
        }
    }
}

private struct APIAnswer: Equatable, Sendable {
    let status: HTTPResponse.Status
    let cacheControl: String?
    let body: Data

    func json<Body: Decodable>(_: Body.Type) throws -> Body {
        #expect(self.status == .ok)
        return try JSONDecoder().decode(Body.self, from: self.body)
    }

    var problem: String? {
        struct Document: Decodable { var code: String }
        return try? JSONDecoder().decode(Document.self, from: self.body).code
    }
}

private struct Amount: Decodable, Equatable {
    var points: Int64
    var kopecks: Int64
}

private struct DayAnswer: Decodable {
    struct ClassAnswer: Decodable { var lotClass: String }
    var expiresAt: String
    var amount: Amount
    var classes: [ClassAnswer]
}

private struct PastAnswer: Decodable {
    var available: Amount
}

private struct BalanceAnswer: Decodable {
    struct HoldAnswer: Decodable {
        var purpose: String
        var amount: Amount
    }
    var holds: [HoldAnswer]
    var available, pending, held, debt: Amount
    var expiringNext: DayAnswer?
}

private struct LotsAnswer: Decodable {
    var total: Amount
    var days: [DayAnswer]
}

private struct FeedAnswer: Decodable {
    struct Line: Decodable {
        struct Receipt: Decodable {
            var id: String
            var totalKopecks: Int64
        }
        struct Movement: Decodable {
            struct Lot: Decodable { var number: Int }
            var rule: String?
            var lot: Lot?
        }
        var id, kind, direction, effectiveAt, recordedAt: String
        var amount, change, availableAfter: Amount
        var receipt: Receipt?
        var movements: [Movement]
    }
    var items: [Line]
    var next: String?
}

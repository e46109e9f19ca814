import FoundationEssentials
import HTTPTypes
import Hummingbird
import Kernel
import NIOConcurrencyHelpers
import Postgres
import TestSupport
import Testing
import Web

@Suite(.database(), .capturedLogs) struct IdempotencyTests {
    private struct Crash: Error {}

    private static let keyHeader = HTTPField.Name("Idempotency-Key")
    private static let refusal = ProblemKind(.conflict, "too-few-points", ru: "Мало", en: "Too few")

    /// A service with one unsafe route: writes a row, and then does what the test says.
    private struct Shop: Sendable {
        let house: House
        let database: Database
        let runs = NIOLockedValueBox(0)

        init(_ then: @escaping @Sendable (borrowing Transaction, Int) async throws -> Answer) async throws {
            let database = try TestDatabase.current.owner
            self.database = database
            try await database.execute("create schema shop")
            try await database.execute(
                """
                create table shop.idempotency_key (
                    principal text not null, key text not null, fingerprint bytea not null, status smallint not null,
                    headers jsonb not null, body bytea not null, created_at timestamptz not null,
                    primary key (principal, key))
                """)
            try await database.execute("create table shop.sale (id bigint generated always as identity, run int)")
            let runs = self.runs
            let idempotency = Idempotency(
                schema: "shop", database: database, clock: ManualClock(), random: .seeded())
            self.house = House { router in
                router.post("/sales/{shop}") { request, _ in
                    let body = try await StrictJSON.read(request)
                    let principal = request.headers[.userAgent] ?? "till"
                    return try await idempotency.answer(request, principal: principal, body: body) { transaction in
                        let run = runs.withLockedValue { runs in
                            runs += 1
                            return runs
                        }
                        try await transaction.execute("insert into shop.sale (run) values (\(run))")
                        return try await then(transaction, run)
                    }
                }
            }
        }

        func post(
            _ key: String?, _ json: String = "{}", to path: String = "/sales/1", as principal: String = "till"
        ) async throws -> Reply {
            let name = try #require(IdempotencyTests.keyHeader)
            var headers: HTTPFields = [.userAgent: principal]
            headers[name] = key
            return try await self.house.post(path, json, headers: headers)
        }

        /// Which runs of the work have left a row.
        var sales: [Int] {
            get async throws {
                try await self.database.query("select run from shop.sale order by id").map { try $0.decode(Int.self) }
            }
        }

        var keys: Int {
            get async throws {
                try await self.database.one("select count(*) from shop.idempotency_key").decode(Int.self)
            }
        }
    }

    private static func created(_ run: Int) throws -> Answer {
        try Answer.json(["run": run], status: .created, headers: [.location: "/sales/\(run)"])
    }

    private static func isReplayed(_ reply: Reply) -> Bool {
        reply.headers[.idempotentReplayed] == "true"
    }

    @Test func `the second request with a key gets the first one's answer, and nothing is done`() async throws {
        let shop = try await Shop { _, run in try Self.created(run) }
        let first = try await shop.post("k1")
        #expect(first.status == .created)
        #expect(!Self.isReplayed(first))
        let second = try await shop.post("k1")
        #expect(Self.isReplayed(second))
        #expect(second.status == .created)
        #expect(second.text == first.text)
        #expect(second.headers[.location] == "/sales/1")
        #expect(second.headers[.contentType] == first.headers[.contentType])
        #expect(try await shop.sales == [1])
        #expect(try await shop.post("k2").text == #"{"run":2}"#)
        #expect(try await shop.sales == [1, 2])
    }

    @Test func `what was answered is answered again without preparing anything, the key of another request refused`()
        async throws
    {
        let shop = try await Shop { _, run in try Self.created(run) }
        let prepared = NIOLockedValueBox(0)
        let idempotency = Idempotency(
            schema: "shop", database: shop.database, clock: ManualClock(), random: .seeded())
        let house = House { router in
            router.post("/orders") { request, _ in
                try await idempotency.answer(
                    request, principal: "till", body: try await StrictJSON.read(request),
                    preparing: { prepared.withLockedValue { $0 += 1 } },
                    { _, _ in try Self.created(prepared.withLockedValue { $0 }) })
            }
        }
        let name = try #require(Self.keyHeader)
        func post(_ json: String) async throws -> Reply {
            var headers = HTTPFields()
            headers[name] = "k1"
            return try await house.post("/orders", json, headers: headers)
        }
        let first = try await post("{}")
        let second = try await post("{}")
        #expect(first.text == #"{"run":1}"#)
        #expect(second.text == first.text)
        #expect(Self.isReplayed(second))
        #expect(try await post(#"{"a": 1}"#).problem.code == "idempotency-key-reused")
        #expect(prepared.withLockedValue { $0 } == 1)
    }

    @Test func `a key in quotes is the same key`() async throws {
        let shop = try await Shop { _, run in try Self.created(run) }
        _ = try await shop.post("k1")
        #expect(Self.isReplayed(try await shop.post("\"k1\"")))
    }

    @Test(arguments: [nil, "", "ключ", String(repeating: "k", count: 129), "\"\""] as [String?])
    func `without a proper key nothing is done`(key: String?) async throws {
        let shop = try await Shop { _, run in try Self.created(run) }
        let reply = try await shop.post(key)
        #expect(reply.status == .badRequest)
        #expect(try reply.problem.code == (key == nil ? "idempotency-key-required" : "idempotency-key-invalid"))
        #expect(try await shop.sales.isEmpty)
    }

    @Test func `the key of another body, address or method is refused`() async throws {
        let shop = try await Shop { _, run in try Self.created(run) }
        _ = try await shop.post("k1", #"{"a": 1}"#)
        for reply in [
            try await shop.post("k1", #"{"a": 2}"#), try await shop.post("k1", #"{"a": 1}"#, to: "/sales/2"),
            try await shop.post("k1", #"{"a": 1}"#, to: "/sales/1?x=1"),
        ] {
            #expect(reply.status == .unprocessableContent)
            #expect(try reply.problem.code == "idempotency-key-reused")
        }
        #expect(try await shop.sales == [1])
    }

    @Test func `keys of two clients are two keys`() async throws {
        let shop = try await Shop { _, run in try Self.created(run) }
        _ = try await shop.post("k1", as: "till-1")
        #expect(!Self.isReplayed(try await shop.post("k1", as: "till-2")))
        #expect(try await shop.sales == [1, 2])
    }

    @Test func `a refusal undoes the work, is kept, and is given again`() async throws {
        let shop = try await Shop { _, _ in
            throw Problem(Self.refusal, detail: "5 are available.", extensions: ["available": .integer(5)])
        }
        let first = try await shop.post("k1")
        #expect(first.status == .conflict)
        #expect(try first.problem.code == "too-few-points")
        #expect(!Self.isReplayed(first))
        let second = try await shop.post("k1")
        #expect(Self.isReplayed(second))
        #expect(second.text == first.text)
        #expect(second.headers[.contentType] == "application/problem+json")
        #expect(shop.runs.withLockedValue { $0 } == 1)
        #expect(try await shop.sales.isEmpty)
    }

    @Test(arguments: [
        Crash() as any Error, Problem(.temporarilyUnavailable, retryAfter: .seconds(1)),
        Problem(.rateLimited, retryAfter: .seconds(1)), Problem(refusal, retryAfter: .seconds(1)),
        Problem(.tokenExpired),
    ])
    func `a failure undoes the work and is not kept, so that it can be tried again`(error: any Error) async throws {
        let shop = try await Shop { _, run in
            if run == 1 { throw error }
            return try Self.created(run)
        }
        #expect(try await shop.post("k1").status.code >= 400)
        #expect(try await shop.keys == 0)
        #expect(try await shop.sales.isEmpty)
        let second = try await shop.post("k1")
        #expect(second.status == .created)
        #expect(!Self.isReplayed(second))
        #expect(try await shop.sales == [2])
    }

    @Test func `while the first request runs, the second is told to come again`() async throws {
        let (started, release) = (Signal<Void>(), Signal<Void>())
        let shop = try await Shop { _, run in
            started.send()
            try await release.next()
            return try Self.created(run)
        }
        async let first = shop.post("k1")
        try await started.next()
        let second = try await shop.post("k1")
        #expect(second.status == .conflict)
        #expect(try second.problem.code == "idempotency-key-in-progress")
        #expect(second.headers[.retryAfter] == "1")
        release.send()
        #expect(try await first.status == .created)
        #expect(Self.isReplayed(try await shop.post("k1")))
        #expect(try await shop.sales == [1])
    }

    @Test func `of many at once with one key one does the work`() async throws {
        let shop = try await Shop { _, run in try Self.created(run) }
        let replies = try await withThrowingTaskGroup(of: Reply.self) { group in
            for _ in 0..<20 { group.addTask { try await shop.post("k1") } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(try await shop.sales.count == 1)
        #expect(replies.contains { $0.status == .created && !Self.isReplayed($0) })
        #expect(replies.allSatisfy { $0.status == .created || $0.status == .conflict })
        #expect(Set(replies.filter { $0.status == .created }.map(\.text)).count == 1)
    }

    @Test(arguments: ["40001", "40P01"])
    func `work that lost against others is tried again, and only what won stays`(state: String) async throws {
        let shop = try await Shop { transaction, run in
            if run < 3 { try await transaction.execute("select shop.lose(\(state))") }
            return try Self.created(run)
        }
        try await shop.database.execute(
            """
            create function shop.lose(state text) returns void language plpgsql as
            $$ begin raise exception using errcode = state; end $$
            """)
        #expect(try await shop.post("k1").text == #"{"run":3}"#)
        #expect(try await shop.sales == [3])
    }

    @Test func `work that loses for ever is for later`() async throws {
        let shop = try await Shop { transaction, run in
            try await transaction.execute("do $$ begin raise exception using errcode = '40001'; end $$")
            return try Self.created(run)
        }
        #expect(try await shop.post("k1").status == .serviceUnavailable)
        #expect(shop.runs.withLockedValue { $0 } == 4)
        #expect(try await shop.keys == 0)
    }

    @Test func `any bytes are kept as they are`() async throws {
        let body = (0...255).map { UInt8($0) }
        let shop = try await Shop { _, _ in Answer(status: .accepted, headers: [.contentType: "x/y"], body: body) }
        _ = try await shop.post("k1")
        let idempotency = Idempotency(schema: "shop", database: shop.database, clock: ManualClock())
        let fingerprint = Idempotency.fingerprint(Array("POST /sales/1\n{}".utf8))
        let outcome = try await idempotency.answer(
            key: #require(IdempotencyKey("k1")), principal: "till", fingerprint: fingerprint
        ) { _ in throw Crash() }
        #expect(outcome.isReplayed)
        #expect(outcome.answer.body == body)
    }

    @Test func `the same key twice in one batch is done once`() async throws {
        let shop = try await Shop { _, run in try Self.created(run) }
        let idempotency = Idempotency(schema: "shop", database: shop.database, clock: ManualClock())
        let key = try #require(IdempotencyKey("item-1"))
        var outcomes: [Idempotency.Outcome] = []
        for _ in 0..<2 {
            outcomes.append(
                try await idempotency.answer(key: key, principal: "till", fingerprint: [1]) { transaction in
                    try await transaction.execute("insert into shop.sale (run) values (7)")
                    return Answer.empty()
                })
        }
        #expect(outcomes.map(\.isReplayed) == [false, true])
        #expect(outcomes.map(\.answer.status) == [.noContent, .noContent])
        #expect(try await shop.sales == [7])
    }
}

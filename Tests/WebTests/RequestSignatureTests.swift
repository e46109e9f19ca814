import Crypto
import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Kernel
import NIOCore
import Postgres
import TestSupport
import Testing

@testable import Web

/// Requests that are signed with a till's key instead of carrying it.
@Suite(.database(), .capturedLogs) struct RequestSignatureTests {
    private static let key = Secret("ck_0123456789abcdef_s3cr3ts3cr3ts3cr3t")
    private let clock = ManualClock()
    private let database: Database

    init() throws { self.database = try TestDatabase.current.owner }

    private func makeTables() async throws {
        try await self.database.execute("create schema shop")
        try await self.database.execute(
            """
            create table shop.till_key (
                till_key text primary key, hash bytea not null, store_id text, scopes text[] not null,
                revoked boolean not null, changed_at timestamptz not null
            )
            """)
        try await self.database.execute(
            """
            create table shop.used_nonce (
                till_key text not null, nonce text not null, forget_at timestamptz not null,
                primary key (till_key, nonce)
            )
            """)
    }

    private func run<R: Sendable>(
        scopes: Set<String> = ["receipts"], revoked: Bool = false,
        _ body: @escaping @Sendable (any TestClientProtocol) async throws -> R
    ) async throws -> R {
        try await self.makeTables()
        return try await self.serve(scopes: scopes, revoked: revoked, body)
    }

    /// A process of the service; several share its tables.
    private func serve<R: Sendable>(
        scopes: Set<String> = ["receipts"], revoked: Bool = false,
        _ body: @escaping @Sendable (any TestClientProtocol) async throws -> R
    ) async throws -> R {
        let till = TillKey(
            id: "0123456789abcdef", hash: Array(SHA256.hash(data: Data("s3cr3ts3cr3ts3cr3t".utf8))), store: nil,
            scopes: scopes, revoked: revoked)
        let router = HouseRouter.make(pages: ServicePages(openAPI: "", metrics: { "" }, readiness: [])) { router in
            router.group().add(
                middleware: TillAuthentication(
                    schema: "shop", database: self.database, clock: self.clock, bodyLimit: 1000
                ) { id in
                    id == till.id ? TillKeyProjection.Entry(key: till, changedAt: self.clock.now) : nil
                }
            ).post("/pos/v1/receipts") { request, context in
                let body = try await StrictJSON.read(request)
                return "\(try context.requireTill().id) \(body.count)"
            }
        }
        return try await Application(router: router, logger: CapturedLogs.logger).test(.router, body)
    }

    private func header(
        _ body: String = "{}", method: String = "POST", target: String = "/pos/v1/receipts?a=1",
        nonce: String = "nonce-0001", key: Secret = Self.key, late: Duration = .zero
    ) throws -> String {
        try #require(
            RequestSignature.authorization(
                key: key, method: method, target: target, body: Array(body.utf8), at: self.clock.now - late,
                nonce: nonce))
    }

    private func post(
        _ client: any TestClientProtocol, _ authorization: String, body: String = "{}",
        target: String = "/pos/v1/receipts?a=1"
    ) async throws -> (status: Int, text: String) {
        let response = try await client.execute(
            uri: target, method: .post,
            headers: [.authorization: authorization, .contentType: "application/json"], body: ByteBuffer(string: body))
        return (response.status.code, String(buffer: response.body))
    }

    @Test func `a signed request is let in with its body, once`() async throws {
        let header = try self.header(#"{"a": 1}"#)
        try await self.run { client in
            let first = try await self.post(client, header, body: #"{"a": 1}"#)
            #expect(first.status == 200 && first.text == "0123456789abcdef 8")
            let again = try await self.post(client, header, body: #"{"a": 1}"#)
            #expect(again.status == 401 && again.text.contains("signature-stale"))
        }
        #expect(!CapturedLogs.text.contains("s3cr3t"))
    }

    @Test func `whatever of the request is changed, the signature is wrong`() async throws {
        let right = try self.header()
        let wrong = [
            try self.header(#"{"a": 2}"#), try self.header(method: "PUT"), try self.header(target: "/pos/v1/receipts"),
            try self.header(key: Secret("ck_0123456789abcdef_other")), try self.header(key: Secret("ck_unknown_x")),
            right.replacing("nonce-0001", with: "nonce-0002"), right.replacing("time=", with: "time=1"),
            right.replacing("signature=", with: "signature=A"), right + ", nonce=nonce-0003", "Club-HMAC-SHA256",
            right.replacing("Club-HMAC-SHA256", with: "Basic"),
        ]
        try await self.run { client in
            for header in wrong {
                let answer = try await self.post(client, header)
                #expect(answer.status == 401 && answer.text.contains("api-key-invalid"), "\(header)")
            }
            #expect(try await self.post(client, right).status == 200)
        }
    }

    @Test func `a time is taken five minutes early and late, and no more`() async throws {
        let cases: [(Int64, Int)] = [(300, 200), (-300, 200), (301, 401), (-301, 401)]
        try await self.makeTables()
        for (late, status) in cases {
            let header = try self.header(nonce: "nonce-\(late)", late: .seconds(late))
            try await self.serve { client in
                let answer = try await self.post(client, header)
                #expect(answer.status == status)
                #expect(answer.text.contains("signature-stale") == (status == 401))
            }
        }
    }

    @Test func `a key that must sign is not taken as a bearer, and a revoked one in no way`() async throws {
        let header = try self.header()
        try await self.makeTables()
        // Another process that has heard nothing yet asks anew how the key is.
        func forget() async throws { try await self.database.execute("delete from shop.till_key") }
        try await self.serve(scopes: ["receipts", "signed"]) { client in
            let (bearer, signed) = (
                try await self.post(client, "Bearer \(Self.key.text)"), try await self.post(client, header)
            )
            #expect(bearer.status == 401)
            #expect(signed.status == 200)
        }
        try await forget()
        try await self.serve { client in
            let answer = try await self.post(client, "Bearer \(Self.key.text)")
            #expect(answer.status == 200)
        }
        try await forget()
        try await self.serve(revoked: true) { client in
            let answer = try await self.post(client, header)
            #expect(answer.status == 401)
        }
    }

    @Test func `a body beyond the limit is not read to its end`() async throws {
        let body = "\"" + String(repeating: "a", count: 2000) + "\""
        let header = try self.header(body)
        try await self.run { client in
            let answer = try await self.post(client, header, body: body)
            #expect(answer.status == 413)
        }
    }

    @Test func `what one process has let in another refuses`() async throws {
        try await self.makeTables()
        let header = try self.header()
        try await self.serve { client in
            let answer = try await self.post(client, header)
            #expect(answer.status == 200)
        }
        try await self.serve { client in
            let answer = try await self.post(client, header)
            #expect(answer.status == 401 && answer.text.contains("signature-stale"))
        }
    }

    @Test func `of many who show one signed request at once one is let in`() async throws {
        let header = try self.header()
        let statuses = try await self.run { client in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 { group.addTask { try await self.post(client, header).status } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
        }
        #expect(statuses.sorted() == [200] + [Int](repeating: 401, count: 7))
    }

    @Test func `nonces are remembered as long as their times are accepted, and then forgotten`() async throws {
        try await self.makeTables()
        let nonces = UsedNonces(schema: "shop", database: self.database)
        let signedAt = self.clock.now
        #expect(try await nonces.take("a", of: "till", signedAt: signedAt, at: self.clock.now))
        #expect(try await nonces.take("a", of: "other", signedAt: signedAt, at: self.clock.now))
        self.clock.advance(by: .seconds(301))
        #expect(try await !nonces.take("a", of: "till", signedAt: signedAt, at: self.clock.now))
        self.clock.advance(by: .seconds(600))
        #expect(try await nonces.take("b", of: "till", signedAt: self.clock.now, at: self.clock.now))
        #expect(try await self.database.one("select count(*) from shop.used_nonce").decode(Int.self) == 1)
    }
}

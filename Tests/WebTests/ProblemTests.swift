import FoundationEssentials
import HTTPTypes
import Hummingbird
import InMemoryLogging
import Kernel
import Logging
import Postgres
import TestSupport
import Testing
import Web

extension ProblemKind {
    fileprivate static let tooFew = ProblemKind(
        .conflict, "too-few-points", ru: "Не хватает баллов", en: "Too few points")
}

@Suite(.capturedLogs) struct ProblemTests {
    private struct Boom: Error, CustomStringConvertible {
        let phone = "+79161234567"
        var description: String { "boom for \(self.phone)" }
    }

    private struct Away: TemporaryFailure {}

    private static func house(throwing error: any Error) -> House {
        House { router in
            router.get("/members/{id}/boom") { _, _ -> Response in throw error }
        }
    }

    @Test func `a problem is a document with a stable type and words in two languages`() async throws {
        let problem = Problem(
            .tooFew, detail: "5 are available.", violations: [.init(pointer: "/points", code: "too-many")],
            extensions: ["available": .integer(5), "unit": .text("PTS")], headers: [.retryAfter: "7"])
        let reply = try await Self.house(throwing: problem).send(.get, "/members/1/boom")
        #expect(reply.status == .conflict)
        #expect(reply.headers[.contentType] == "application/problem+json")
        #expect(reply.headers[.retryAfter] == "7")
        #expect(
            reply.text == #"""
                {"available":5,"code":"too-few-points","detail":"5 are available.","errors":[{"code":"too-many","pointer":"/points"}],"status":409,"title":"Не хватает баллов","title_en":"Too few points","type":"urn:club:problem:too-few-points","unit":"PTS"}
                """#)
    }

    @Test(
        arguments: [
            (.milliseconds(1), "1"), (.seconds(2), "2"), (.milliseconds(2001), "3"), (.zero, "1"), (.seconds(-5), "1"),
        ] as [(Duration, String)])
    func `waiting is told in whole seconds, never too short`(wait: Duration, header: String) {
        #expect(Problem(.rateLimited, retryAfter: wait).headers[.retryAfter] == header)
    }

    @Test func `an unknown error is told to nobody and logged once by its type`() async throws {
        let reply = try await Self.house(throwing: Boom()).send(.get, "/members/4711-0815-4711/boom?phone=9161234567")
        #expect(reply.status == .internalServerError)
        #expect(try reply.problem.code == "internal-error")
        #expect(!reply.text.contains("boom"))
        let errors = CapturedLogs.entries.filter { $0.level >= .warning }
        #expect(errors.count == 1)
        #expect(CapturedLogs.text.contains("Boom"))
        #expect(CapturedLogs.text.contains("/members/{id}/boom"))
        for hidden in ["9161234567", "4711-0815", "boom for"] { #expect(!CapturedLogs.text.contains(hidden)) }
    }

    @Test func `a refusal is no error of ours`() async throws {
        _ = try await Self.house(throwing: Problem(.tooFew, detail: "secret detail")).send(.get, "/members/1/boom")
        #expect(CapturedLogs.entries.allSatisfy { $0.level <= .debug })
        #expect(CapturedLogs.text.contains("too-few-points"))
        #expect(!CapturedLogs.text.contains("secret detail"))
    }

    @Test(
        arguments: [
            (HTTPError(.notFound), "not-found", 404), (HTTPError(.methodNotAllowed), "method-not-allowed", 405),
            (HTTPError(.badRequest, message: "Ivanov"), "bad-request", 400),
            (HTTPError(.contentTooLarge), "body-too-large", 413),
            (HTTPError(.unsupportedMediaType), "unsupported-media-type", 415),
            (HTTPError(.unauthorized), "token-missing", 401), (HTTPError(.conflict), "bad-request", 400),
            (HTTPError(.serviceUnavailable), "temporarily-unavailable", 503),
            (HTTPError(.internalServerError), "internal-error", 500),
        ] as [(HTTPError, String, Int)])
    func `what Hummingbird throws becomes a problem`(error: HTTPError, code: String, status: Int) async throws {
        let reply = try await Self.house(throwing: error).send(.get, "/members/1/boom")
        #expect(reply.status.code == status)
        #expect(try reply.problem.code == code)
        #expect(!reply.text.contains("Ivanov"))
    }

    @Test(arguments: [Away() as any Error, CancellationError()])
    func `what passes by itself is answered with 503 and when to come again`(error: any Error) async throws {
        let reply = try await Self.house(throwing: error).send(.get, "/members/1/boom")
        #expect(reply.status == .serviceUnavailable)
        #expect(try reply.problem.code == "temporarily-unavailable")
        #expect(reply.headers[.retryAfter] == "1")
        #expect(CapturedLogs.entries.allSatisfy { $0.level <= .debug })
    }

    @Test func `a database that is away is answered with 503 and when to come again`() async throws {
        let reactor = try Reactor()
        let database = Database(
            DatabaseConfiguration(conninfo: "host=/nonexistent dbname=club connect_timeout=1"), reactor: reactor,
            logger: CapturedLogs.logger)
        let house = House { router in
            router.get("/away") { _, _ -> Response in
                try await database.execute("select 1")
                return Response(status: .ok)
            }
        }
        let reply = try await house.send(.get, "/away")
        #expect(reply.status == .serviceUnavailable)
        #expect(try reply.problem.code == "temporarily-unavailable")
        #expect(reply.headers[.retryAfter] == "1")
        await database.shutdown()
    }

    @Test(.database()) func `a broken rule of the database is our error, and its data is not logged`() async throws {
        let owner = try TestDatabase.current.owner
        try await owner.execute("create table member (phone text primary key)")
        let house = House { router in
            router.post("/twice") { _, _ -> Response in
                for _ in 0..<2 { try await owner.execute("insert into member (phone) values (\("+79161234567"))") }
                return Response(status: .ok)
            }
        }
        let reply = try await house.send(.post, "/twice")
        #expect(try reply.problem.code == "internal-error")
        #expect(CapturedLogs.text.contains("unique-violation"))
        #expect(CapturedLogs.text.contains("member_pkey"))
        #expect(!CapturedLogs.text.contains("9161234567"))
    }

    @Test(.database()) func `a conflict in the database is answered with 503`() async throws {
        let owner = try TestDatabase.current.owner
        let house = House { router in
            router.post("/conflict") { _, _ -> Response in
                try await owner.execute("do $$ begin raise exception using errcode = '40001'; end $$")
                return Response(status: .ok)
            }
        }
        #expect(try await house.send(.post, "/conflict").problem.code == "temporarily-unavailable")
    }
}

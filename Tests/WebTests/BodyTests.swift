import HTTPTypes
import Hummingbird
import NIOConcurrencyHelpers
import NIOCore
import Testing
import Web

@Suite struct BodyTests {
    private static let house = House { router in
        router.post("/echo") { request, _ in
            try Response.json(try await StrictJSON.decode([String: Int].self, from: request, limit: 100))
        }
        router.post("/standard") { request, context in
            try Response.json(try await request.decode(as: [Int].self, context: context))
        }
    }

    @Test func `a body within the limit is read`() async throws {
        let reply = try await Self.house.post("/echo", #"{"a": 1}"#)
        #expect(reply.status == .ok)
        #expect(reply.text == #"{"a":1}"#)
        #expect(reply.headers[.contentType] == "application/json; charset=utf-8")
        #expect(reply.headers[.contentLength] == "7")
    }

    @Test(
        arguments: [
            nil, "text/plain", "application/xml", "application/jsonp", "application/json; charset=koi8-r", "",
            "application/json/x",
        ] as [String?])
    func `only JSON is accepted`(type: String?) async throws {
        var headers: HTTPFields = [:]
        headers[.contentType] = type
        let reply = try await Self.house.send(.post, "/echo", headers: headers, body: "{}")
        #expect(reply.status == .unsupportedMediaType)
        #expect(try reply.problem.code == "unsupported-media-type")
    }

    @Test(arguments: [
        "application/json", "Application/JSON", "application/json; charset=utf-8", "application/json;charset=\"UTF-8\"",
        "application/json; profile=x",
    ])
    func `JSON may be announced in these ways`(type: String) async throws {
        let reply = try await Self.house.send(.post, "/echo", headers: [.contentType: type], body: "{}")
        #expect(reply.status == .ok)
    }

    @Test func `a packed body is not accepted`() async throws {
        let reply = try await Self.house.post("/echo", "{}", headers: [.contentEncoding: "gzip"])
        #expect(try reply.problem.code == "unsupported-media-type")
    }

    @Test func `a body over the limit is refused, whoever reads it`() async throws {
        let long = "{\"a\": " + String(repeating: "1", count: 100) + "}"
        let reply = try await Self.house.post("/echo", long)
        #expect(reply.status == .contentTooLarge)
        #expect(try reply.problem.code == "body-too-large")
        let list = "[" + String(repeating: " ", count: 5_000_000) + "]"
        #expect(try await Self.house.post("/standard", list).problem.code == "body-too-large")
        #expect(try await Self.house.post("/standard", "[1, 2]").text == "[1,2]")
    }

    /// A body that goes on for ever, and counts how much of it was asked for.
    private struct EndlessBody: AsyncSequence, Sendable {
        let given: NIOLockedValueBox<Int>

        struct AsyncIterator: AsyncIteratorProtocol {
            let given: NIOLockedValueBox<Int>

            func next() async throws -> ByteBuffer? {
                self.given.withLockedValue { $0 += 1000 }
                return ByteBuffer(repeating: UInt8(ascii: " "), count: 1000)
            }
        }

        func makeAsyncIterator() -> AsyncIterator { AsyncIterator(given: self.given) }
    }

    private static func request(_ body: RequestBody, headers: HTTPFields) -> Request {
        Request(
            head: HTTPRequest(method: .post, scheme: "http", authority: "x", path: "/", headerFields: headers),
            body: body)
    }

    @Test func `reading stops at the limit, so that no more is ever in memory`() async throws {
        let body = EndlessBody(given: NIOLockedValueBox(0))
        let request = Self.request(RequestBody(asyncSequence: body), headers: [.contentType: "application/json"])
        let problem = await #expect(throws: Problem.self) { try await StrictJSON.read(request, limit: 10_000) }
        #expect(problem?.kind.code == "body-too-large")
        #expect(body.given.withLockedValue { $0 } == 11_000)
    }

    @Test func `a body that announces too much is not read at all`() async throws {
        let body = EndlessBody(given: NIOLockedValueBox(0))
        let request = Self.request(
            RequestBody(asyncSequence: body), headers: [.contentType: "application/json", .contentLength: "10001"])
        let problem = await #expect(throws: Problem.self) { try await StrictJSON.read(request, limit: 10_000) }
        #expect(problem?.kind.code == "body-too-large")
        #expect(body.given.withLockedValue { $0 } == 0)
    }
}

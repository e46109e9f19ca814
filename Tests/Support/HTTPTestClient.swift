internal import AsyncHTTPClient
public import FoundationEssentials
internal import NIOCore
internal import NIOHTTP1

/// What a service answered.
public struct HTTPTestAnswer: Sendable {
    /// The status code.
    public let status: Int
    /// By lower-case name; of several with one name the last.
    public let headers: [String: String]
    /// The whole body.
    public let body: Data

    /// The body as text.
    public var text: String { String(decoding: body, as: UTF8.self) }

    /// The body as JSON.
    /// - Throws: ``NeverHappened`` with the whole answer when it is another one.
    public func json<Body: Decodable>(_: Body.Type = Body.self) throws -> Body {
        do {
            return try JSONDecoder().decode(Body.self, from: self.body)
        } catch {
            throw NeverHappened(description: "\(Body.self) in the answer \(self.status): \(self.text)")
        }
    }

    /// The stable code of a problem document (RFC 9457); nil when the answer is none.
    public var problem: String? {
        struct Problem: Decodable { var type: String }
        guard let type = try? self.json(Problem.self).type, type.hasPrefix("urn:club:problem:") else { return nil }
        return String(type.dropFirst("urn:club:problem:".count))
    }
}

/// Talks to a service over a real socket, as a till or a browser would.
public struct HTTPTestClient: Sendable {
    private static let limit = 16 << 20

    private let base: String
    private var headers: [String: String] = [:]

    /// - Parameter base: for example "http://127.0.0.1:8080".
    public init(_ base: String) {
        self.base = base
    }

    /// The same client with `Authorization: Bearer …` on every request.
    public func authorized(_ token: String) -> HTTPTestClient {
        var client = self
        client.headers["authorization"] = "Bearer \(token)"
        return client
    }

    /// GET.
    public func get(_ path: String, headers: [String: String] = [:]) async throws -> HTTPTestAnswer {
        try await self.send("GET", path, headers: headers)
    }

    /// POST of a body as JSON.
    public func post<Body: Encodable>(
        _ path: String, _ body: Body, headers: [String: String] = [:]
    ) async throws -> HTTPTestAnswer {
        try await self.send("POST", path, body: try JSONEncoder().encode(body), headers: headers)
    }

    /// POST of a text as it is, for bodies that are wrong.
    public func post(_ path: String, text: String, headers: [String: String] = [:]) async throws -> HTTPTestAnswer {
        try await self.send("POST", path, body: Data(text.utf8), headers: headers)
    }

    /// Any request. A body is announced as JSON unless the headers say otherwise.
    public func send(
        _ method: String, _ path: String, body: Data? = nil, headers: [String: String] = [:]
    ) async throws -> HTTPTestAnswer {
        var request = HTTPClientRequest(url: self.base + path)
        request.method = .RAW(value: method)
        if let body {
            request.body = .bytes(ByteBuffer(bytes: body))
            if headers["content-type"] == nil { request.headers.add(name: "content-type", value: "application/json") }
        }
        for (name, value) in self.headers.merging(headers, uniquingKeysWith: { $1 }) {
            request.headers.replaceOrAdd(name: name, value: value)
        }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
        let buffer = try await response.body.collect(upTo: Self.limit)
        let named = response.headers.map { ($0.name.lowercased(), $0.value) }
        return HTTPTestAnswer(
            status: Int(response.status.code), headers: Dictionary(named, uniquingKeysWith: { $1 }),
            body: Data(buffer.readableBytesView))
    }
}

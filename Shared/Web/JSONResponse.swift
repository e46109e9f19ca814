import FoundationEssentials
import HTTPTypes
public import Hummingbird
import NIOCore

enum JSON {
    /// Names in alphabetical order, so that the same answer is the same bytes.
    static func encode(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(value))
    }
}

extension Response {
    /// An answer with a JSON body.
    public static func json(
        _ value: some Encodable, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
    ) throws -> Response {
        try Answer.json(value, status: status, headers: headers).response()
    }
}

/// A whole answer in memory: what idempotency keeps and gives again.
public struct Answer: Equatable, Sendable {
    /// The HTTP status.
    public let status: HTTPResponse.Status
    /// Headers, with the content type among them.
    public let headers: HTTPFields
    /// The body's bytes.
    public let body: [UInt8]

    /// Makes an answer of its parts.
    public init(status: HTTPResponse.Status, headers: HTTPFields, body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// An answer with a JSON body.
    public static func json(
        _ value: some Encodable, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
    ) throws -> Answer {
        var headers = headers
        headers[.contentType] = "application/json; charset=utf-8"
        return Answer(status: status, headers: headers, body: try JSON.encode(value))
    }

    /// An answer without a body.
    public static func empty(_ status: HTTPResponse.Status = .noContent, headers: HTTPFields = [:]) -> Answer {
        Answer(status: status, headers: headers, body: [])
    }

    /// The answer as Hummingbird sends it.
    public func response() -> Response {
        var headers = self.headers
        // RFC 9110, 8.6: an answer 204 has no content length.
        if self.status != .noContent { headers[.contentLength] = String(self.body.count) }
        return Response(
            status: self.status, headers: headers,
            body: self.body.isEmpty ? .init() : .init(byteBuffer: ByteBuffer(bytes: self.body)))
    }
}

extension Answer: ResponseGenerator {
    public func response(from request: Request, context: some RequestContext) throws -> Response {
        self.response()
    }
}

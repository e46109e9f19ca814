import FoundationEssentials
import HTTPTypes
import HummingbirdTesting
import Kernel
import NIOCore

@testable import Promotions

/// An answer of a route.
struct Answered: Sendable {
    let status: Int
    let headers: HTTPFields
    let text: String

    func read<Body: Decodable>(_: Body.Type = Body.self) throws -> Body {
        try JSONDecoder().decode(Body.self, from: Data(self.text.utf8))
    }

    /// The problem document; nil for a success.
    var problem: ProblemSeen? {
        guard self.headers[.contentType] == "application/problem+json" else { return nil }
        return try? self.read()
    }

    var isReplayed: Bool {
        self.headers.contains { $0.name.canonicalName == "idempotent-replayed" && $0.value == "true" }
    }
}

struct ProblemSeen: Decodable, Hashable {
    struct Violation: Decodable, Hashable {
        let pointer: String
        let code: String
    }

    let code: String
    let errors: [Violation]?
    let limit: Int64?
    let available: Int64?
    let state: String?
}

struct BatchSeen: Decodable {
    struct Operation: Decodable {
        let key: String
        let status: Int
        let replayed: Bool?
        let receipt: ReceiptAnswer?
        let `return`: ReturnSeen?
        let problem: ProblemSeen?
    }

    let operations: [Operation]
}

struct QuoteSeen: Decodable {
    let points: Points
    let lines: [LineResult]
    let ruleset: Int64
}

struct AuthorisationSeen: Decodable, Hashable {
    let authorisation: Hold.ID
    let state: String
    let points: Points
    let captured: Points?
}

extension TestClientProtocol {
    func ask(
        _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil, key: String? = TillWorld.key,
        headers: HTTPFields = [:]
    ) async throws -> Answered {
        var headers = headers
        if body != nil { headers[.contentType] = "application/json" }
        if let key { headers[.authorization] = "Bearer \(key)" }
        let response = try await self.execute(
            uri: path, method: method, headers: headers, body: body.map { ByteBuffer(string: $0) })
        return Answered(status: response.status.code, headers: response.headers, text: String(buffer: response.body))
    }

    func deliver(_ receipt: String, key: String? = TillWorld.key) async throws -> Answered {
        try await self.ask(.post, "/pos/v1/receipts", receipt, key: key)
    }
}

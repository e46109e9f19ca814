import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Kernel
import TestSupport
import Testing
import Web

/// A router of the house with some routes, driven without a socket.
struct House: Sendable {
    private let application: Application<RouterResponder<ClubRequestContext>>

    /// With these routes and pages that say nothing.
    init(addRoutes: (Router<ClubRequestContext>) -> Void) {
        self.init(pages: ServicePages(openAPI: "", metrics: { "" }, readiness: []), addRoutes: addRoutes)
    }

    /// With these pages and no routes.
    init(
        openAPI: String = "openapi: 3.1.0\n", metrics: @escaping @Sendable () -> String = { "" },
        readiness: [HealthCheck] = []
    ) {
        self.init(pages: ServicePages(openAPI: openAPI, metrics: metrics, readiness: readiness)) { _ in }
    }

    private init(pages: ServicePages, addRoutes: (Router<ClubRequestContext>) -> Void) {
        let router = HouseRouter.make(pages: pages, random: .seeded(), addRoutes: addRoutes)
        self.application = Application(responder: router.buildResponder(), logger: CapturedLogs.logger)
    }

    /// Sends one request and gives the answer.
    func send(
        _ method: HTTPRequest.Method, _ uri: String, headers: HTTPFields = [:], body: String? = nil
    ) async throws -> Reply {
        try await self.application.test(.router) { client in
            let response = try await client.execute(
                uri: uri, method: method, headers: headers, body: body.map { ByteBuffer(string: $0) })
            return Reply(status: response.status, headers: response.headers, text: String(buffer: response.body))
        }
    }

    /// Posts a JSON text.
    func post(_ uri: String, _ json: String, headers: HTTPFields = [:]) async throws -> Reply {
        var headers = headers
        headers[.contentType] = "application/json"
        return try await self.send(.post, uri, headers: headers, body: json)
    }
}

/// An answer as a client sees it.
struct Reply: Sendable {
    let status: HTTPResponse.Status
    let headers: HTTPFields
    let text: String

    var problem: ProblemDocument {
        get throws {
            #expect(self.headers[.contentType] == "application/problem+json")
            return try JSONDecoder().decode(ProblemDocument.self, from: Data(self.text.utf8))
        }
    }

    func decode<Value: Decodable>(_: Value.Type = Value.self) throws -> Value {
        try JSONDecoder().decode(Value.self, from: Data(self.text.utf8))
    }
}

/// A problem document as a client reads it.
struct ProblemDocument: Decodable, Equatable {
    let type: String
    let code: String
    let title: String
    let englishTitle: String
    let status: Int
    let detail: String?
    let errors: [Problem.Violation]?

    private enum CodingKeys: String, CodingKey {
        case type, code, title, status, detail, errors
        case englishTitle = "title_en"
    }
}

extension HTTPFields {
    static func bearer(_ token: String) -> HTTPFields { [.authorization: "Bearer " + token] }
}

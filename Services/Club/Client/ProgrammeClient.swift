import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// The programme as members, tills and colleagues see it: HTTP and nothing else.
struct ProgrammeClient: Sendable {
    let http: HTTPClient
    private let addresses: [ServicePart: String]

    /// Most that is read of an answer, in bytes: a photo is the largest.
    private static let answerLimit = 16 << 20
    private static let patience = TimeAmount.seconds(120)
    private static let retries = Retries(limit: .seconds(60))

    /// What a service answered.
    struct Answer: Sendable {
        let status: Int
        /// By lower-case name.
        let headers: [String: String]
        let body: Data

        var text: String { String(decoding: self.body, as: UTF8.self) }
        /// `null` for what is no JSON.
        var json: JSON { (try? JSONDecoder().decode(JSON.self, from: self.body)) ?? .null }

        subscript(_ key: String) -> JSON? { self.json[key] }
    }

    /// What is sent.
    enum Body: Sendable {
        case json(JSON)
        /// A picture, or whatever else is no JSON, with its type.
        case bytes(Data, type: String)
    }

    init(_ state: SystemState, http: HTTPClient) {
        var addresses: [ServicePart: String] = [:]
        for service in state.services {
            if let part = ServicePart(rawValue: service.name) { addresses[part] = service.url }
        }
        addresses[.partners] = state.simulator
        (self.http, self.addresses) = (http, addresses)
    }

    /// Where a part answers; nil when it does not run.
    func address(of part: ServicePart) -> String? { self.addresses[part] }

    /// One request, whatever comes of it, sent again while the service cannot answer. A POST has an Idempotency-Key of its
    /// own.
    /// - Parameter token: of a member, a colleague or a till.
    /// - Throws: ``CommandFailure`` when the part does not run, and what keeps an answer from coming.
    func send(
        _ method: String, _ part: ServicePart, _ path: String, _ body: Body? = nil, token: String? = nil,
        headers: [String: String] = [:]
    ) async throws -> Answer {
        guard let address = self.addresses[part] else {
            throw CommandFailure(.unavailable, "The running system has no \(part.rawValue).")
        }
        var request = HTTPClientRequest(url: address + path)
        request.method = HTTPMethod(rawValue: method)
        switch body {
        case .json(let value)?:
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: try JSONEncoder().encode(value)))
        case .bytes(let bytes, let type)?:
            request.headers.add(name: "Content-Type", value: type)
            request.body = .bytes(ByteBuffer(bytes: bytes))
        case nil: break
        }
        if method == "POST" { request.headers.add(name: "Idempotency-Key", value: UUID().uuidString) }
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        for (name, value) in headers { request.headers.replaceOrAdd(name: name, value: value) }
        return try await Self.retries.run("\(part.rawValue) does not answer") { [request] in
            let answer = try await self.send(request)
            // Nothing was done, and a POST that is sent again has the same key.
            guard answer.status != 503 else {
                throw Unanswered(after: answer.headers["retry-after"].flatMap(Int64.init))
            }
            return answer
        }
    }

    private func send(_ request: HTTPClientRequest) async throws -> Answer {
        let response = try await self.http.execute(request, timeout: Self.patience)
        let buffer = try await response.body.collect(upTo: Self.answerLimit)
        let named = response.headers.map { ($0.name.lowercased(), $0.value) }
        return Answer(
            status: Int(response.status.code), headers: Dictionary(named, uniquingKeysWith: { $1 }),
            body: Data(buffer.readableBytesView))
    }

    /// One request that must be answered with one of the statuses.
    /// - Throws: ``CommandFailure`` (70) with what the service said.
    @discardableResult
    func require(
        _ method: String, _ part: ServicePart, _ path: String, _ body: JSON? = nil, token: String? = nil,
        gives statuses: [Int] = [200]
    ) async throws -> Answer {
        let answer = try await self.send(method, part, path, body.map { .json($0) }, token: token)
        guard statuses.contains(answer.status) else {
            throw CommandFailure(
                .software, "\(method) \(path) of \(part.rawValue) was answered with \(answer.status): \(answer.problem)"
            )
        }
        return answer
    }
}

extension ProgrammeClient.Answer {
    /// Why something was refused, as members read it: the title of the problem; the body of what is none.
    var problem: String {
        guard let title = self["title"]?.text else { return String(self.text.prefix(200)) }
        return self["code"]?.text.map { "\(title) (\($0))" } ?? title
    }
}

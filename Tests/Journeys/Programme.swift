import Foundation
import TestSupport
import Testing

@testable import Club

/// A whole system as people outside see it: HTTP, the phone in somebody's hand, and the operator's `club`.
struct Programme: Sendable {
    let shell: ClubShell
    /// The system's folder.
    let folder: SystemFolder
    private let addresses: [ServicePart: String]

    init(_ system: TestSystem) async throws {
        self.shell = system.shell
        self.folder = SystemFolder(option: system.folder)
        var addresses: [ServicePart: String] = [:]
        for part in ServicePart.allCases {
            let answer = try await system.shell.club("url", part.rawValue)
            // Only a demo has partners.
            if part == .partners, answer.code != 0 { continue }
            try #require(answer.code == 0, "\(answer)")
            addresses[part] = answer.output.trimmingCharacters(in: .whitespacesAndNewlines)
        }
        self.addresses = addresses
    }

    /// Where a service listens, as `club url` says.
    func address(of part: ServicePart) throws -> String { try #require(self.addresses[part]) }

    /// One request. A POST has an Idempotency-Key of its own unless the headers bring one.
    /// - Parameter photo: a body that is no JSON, announced as JPEG.
    func send(
        _ method: String, _ part: ServicePart, _ path: String, _ body: JSON? = nil, photo: Data? = nil,
        token: String? = nil, headers: [String: String] = [:]
    ) async throws -> HTTPTestAnswer {
        var client = HTTPTestClient(try self.address(of: part))
        if let token { client = client.authorized(token) }
        var headers = headers
        if method == "POST", headers["idempotency-key"] == nil { headers["idempotency-key"] = UUID().uuidString }
        if photo != nil { headers["content-type"] = "image/jpeg" }
        let bytes = try photo ?? body.map(Self.bytes)
        return try await client.send(method, path, body: bytes, headers: headers)
    }

    /// A body as it is sent: the same bytes each time, for those who sign them.
    static func bytes(_ body: JSON) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return try encoder.encode(body)
    }

    /// One request that must be answered with a status.
    /// - Returns: the body; `null` when there is none.
    @discardableResult
    func ask(
        _ method: String, _ part: ServicePart, _ path: String, _ body: JSON? = nil, token: String? = nil,
        headers: [String: String] = [:], gives status: Int = 200, at place: SourceLocation = #_sourceLocation
    ) async throws -> JSON {
        let answer = try await self.send(method, part, path, body, token: token, headers: headers)
        return try Self.read(answer, status, method, path, place)
    }

    /// The body of an answer of this status.
    static func read(
        _ answer: HTTPTestAnswer, _ status: Int, _ method: String, _ path: String, _ place: SourceLocation
    ) throws -> JSON {
        try #require(
            answer.status == status, "\(method) \(path): \(answer.status) \(answer.text)", sourceLocation: place)
        return answer.body.isEmpty ? .null : try answer.json()
    }

    /// What `club` prints with --json.
    func club(_ arguments: String..., at place: SourceLocation = #_sourceLocation) async throws -> JSON {
        let result = try await self.shell.club(arguments + ["--json"])
        try #require(result.code == 0, "\(result)", sourceLocation: place)
        return try JSONDecoder().decode(JSON.self, from: Data(result.output.utf8))
    }

    // MARK: Messages

    /// The texts that a phone has been sent, the newest first.
    func messages(to phone: String) async throws -> [String] {
        try await self.club("sms", phone, "--limit", "100").items.compactMap { $0["text"]?.text }
    }

    /// A message that came after so many others and that says something.
    func message(
        to phone: String, after count: Int, saying what: String, within limit: Duration = .seconds(30)
    ) async throws -> String {
        try await eventually("an SMS that says \(what)", within: limit, every: .milliseconds(200)) {
            let messages = try await self.messages(to: phone)
            return messages.dropLast(count).first { $0.contains(what) }
        }
    }

    /// Does what sends a code, and reads the code off the phone.
    func codes<Answer: Sendable>(
        to phone: String, _ body: () async throws -> Answer
    ) async throws -> (code: String, answer: Answer) {
        let count = try await self.messages(to: phone).count
        let answer = try await body()
        return (try await self.code(to: phone, after: count), answer)
    }

    /// The code of the newest message after so many others: its first word, of 4 to 6 digits.
    func code(to phone: String, after count: Int) async throws -> String {
        try await eventually("an SMS with a code", every: .milliseconds(200)) {
            let messages = try await self.messages(to: phone).dropLast(count)
            return messages.lazy.map { String($0.prefix { $0.isNumber }) }.first { 4...6 ~= $0.count }
        }
    }
}

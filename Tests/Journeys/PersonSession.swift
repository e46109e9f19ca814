import Foundation
import TestSupport
import Testing

@testable import Club

/// Somebody who is logged in, for as long as the story takes: a token that has run out is exchanged for the next one.
actor PersonSession {
    private let programme: Programme
    /// Where the next token comes from.
    private let renewal: String
    private var access: String
    private var refresh: String

    /// - Parameter tokens: with `accessToken` and `refreshToken`.
    init(_ programme: Programme, renewal: String, tokens: JSON) throws {
        (self.programme, self.renewal) = (programme, renewal)
        self.access = try #require(tokens["accessToken"]?.text)
        self.refresh = try #require(tokens["refreshToken"]?.text)
    }

    /// What it shows at the moment, for programs of others that ask in its name.
    var token: String { self.access }

    /// One request, whatever comes of it.
    func send(
        _ method: String, _ part: ServicePart, _ path: String, _ body: JSON? = nil, photo: Data? = nil
    ) async throws -> HTTPTestAnswer {
        let answer = try await self.programme.send(method, part, path, body, photo: photo, token: self.access)
        guard answer.problem == "token-expired" else { return answer }
        let tokens = try await self.programme.ask(
            "POST", .auth, self.renewal, ["refreshToken": .text(self.refresh)])
        self.access = try #require(tokens["accessToken"]?.text)
        self.refresh = try #require(tokens["refreshToken"]?.text)
        return try await self.programme.send(method, part, path, body, photo: photo, token: self.access)
    }

    /// One request that must be answered with a status.
    @discardableResult
    func ask(
        _ method: String, _ part: ServicePart, _ path: String, _ body: JSON? = nil, photo: Data? = nil,
        gives status: Int = 200, at place: SourceLocation = #_sourceLocation
    ) async throws -> JSON {
        try Programme.read(
            try await self.send(method, part, path, body, photo: photo), status, method, path, place)
    }
}

import FoundationEssentials
import HTTPTypes
import HummingbirdTesting
import Kernel
import NIOCore
import Testing

/// An answer of a route.
struct Answered: Hashable, Sendable {
    let status: Int
    let headers: HTTPFields
    let text: String

    func read<Body: Decodable>(_: Body.Type = Body.self) throws -> Body {
        try JSONDecoder().decode(Body.self, from: Data(self.text.utf8))
    }

    /// The code of the problem document; nil for a success.
    var problem: String? {
        guard self.headers[.contentType] == "application/problem+json" else { return nil }
        return try? self.read(ProblemSeen.self).code
    }
}

struct ProblemSeen: Decodable { let code: String }

struct ChallengeSeen: Decodable {
    let challenge: Challenge.ID
    let expiresAt: Timestamp
    let resendAt: Timestamp?
}

struct TicketSeen: Decodable { let registration: String }

struct TokensSeen: Decodable, Hashable {
    let accessToken: String
    let accessExpiresAt: Timestamp
    let refreshToken: String
    let refreshExpiresAt: Timestamp
}

struct RegistrationSeen: Decodable {
    let member: Member.ID
    let card: CardNumber
    let tokens: TokensSeen
}

struct ProfileSeen: Decodable {
    let member: Member.ID
    let fullName: FullName
    let phone: PhoneNumber
    let card: CardNumber
    let consents: [Consent]

    struct Consent: Decodable {
        let purpose: String
        let channel: String
        let granted: Bool
    }
}

struct CardTokenSeen: Decodable {
    let token: String
    let expiresAt: Timestamp
}

extension TestClientProtocol {
    func ask(
        _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil, token: String? = nil,
        headers: HTTPFields = [:]
    ) async throws -> Answered {
        var headers = headers
        if body != nil { headers[.contentType] = "application/json" }
        if let token { headers[.authorization] = "Bearer \(token)" }
        let response = try await self.execute(
            uri: path, method: method, headers: headers, body: body.map { ByteBuffer(string: $0) })
        return Answered(
            status: response.status.code, headers: response.headers, text: String(buffer: response.body))
    }

    /// Asks for a code and gets one.
    func challenge(_ phone: String = "+79161234567") async throws -> Challenge.ID {
        let answer = try await self.ask(.post, "/v1/challenges", #"{"phone":"\#(phone)"}"#)
        try #require(answer.status == 202)
        return try answer.read(ChallengeSeen.self).challenge
    }

    func logIn(_ challenge: Challenge.ID, _ code: String) async throws -> Answered {
        try await self.ask(.post, "/v1/sessions", #"{"challenge":"\#(challenge)","code":"\#(code)"}"#)
    }
}

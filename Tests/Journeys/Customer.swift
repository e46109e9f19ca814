import Foundation
import TestSupport
import Testing

@testable import Club

/// A member with a phone, a card and a session.
struct Customer: Sendable {
    let programme: Programme
    let id: String
    let card: String
    let session: PersonSession

    /// Joins on the web: the phone answers, then a name and three consents.
    static func join(_ programme: Programme, phone: String, name: JSON) async throws -> Customer {
        let (code, challenge) = try await programme.codes(to: phone) {
            try await programme.ask("POST", .auth, "/v1/challenges", ["phone": .text(phone)], gives: 202)
        }
        let opened = try await programme.ask(
            "POST", .auth, "/v1/sessions",
            ["challenge": try #require(challenge["challenge"]), "code": .text(code)])
        let registered = try await programme.ask(
            "POST", .auth, "/v1/registrations",
            [
                "registration": try #require(opened["registration"]), "fullName": name,
                "consents": ["terms": true, "personalData": true, "marketing": false],
            ], gives: 201)
        return try Customer(
            programme: programme, id: #require(registered["member"]?.text), card: #require(registered["card"]?.text),
            session: PersonSession(programme, renewal: "/v1/tokens", tokens: #require(registered["tokens"])))
    }

    /// One request that must be answered with a status.
    @discardableResult
    func ask(
        _ method: String, _ part: ServicePart, _ path: String, _ body: JSON? = nil, gives status: Int = 200,
        at place: SourceLocation = #_sourceLocation
    ) async throws -> JSON {
        try await self.session.ask(method, part, path, body, gives: status, at: place)
    }

    /// Has a code sent and confirms with it.
    /// - Parameter sending: the status of the answer that says that the code is on its way.
    /// - Returns: the answer to the confirmation.
    func confirm(
        _ part: ServicePart, codeFrom request: String, confirmation: String, phone: String, sending: Int,
        at place: SourceLocation = #_sourceLocation
    ) async throws -> JSON {
        let (code, _) = try await self.programme.codes(to: phone) {
            try await self.ask("POST", part, request, [:], gives: sending, at: place)
        }
        return try await self.ask("POST", part, confirmation, ["code": .text(code)], at: place)
    }

    /// The points that the ledger shows: available, and held.
    func balance() async throws -> (available: Int64, held: Int64) {
        let balance = try await self.ask("GET", .ledger, "/v1/balance")
        return try (
            available: #require(balance["available"]?["points"]?.number),
            held: #require(balance["held"]?["points"]?.number)
        )
    }

    /// Waits until so many points are available.
    func sees(_ points: Int64, because what: String) async throws {
        try await eventually("\(points) points are available: \(what)") {
            try await self.balance().available == points
        }
    }
}

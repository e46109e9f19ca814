import FoundationEssentials
import HTTPTypes
import HummingbirdTesting
import Kernel
import NIOCore
import Testing

@testable import Support

/// An answer of a route.
struct Answered: Sendable {
    let status: Int
    let headers: HTTPFields
    let body: [UInt8]

    var text: String { String(decoding: self.body, as: UTF8.self) }

    func read<Body: Decodable>(_: Body.Type = Body.self) throws -> Body {
        try JSONDecoder().decode(Body.self, from: Data(self.body))
    }

    /// The code of the problem document; nil for a success.
    var problem: String? {
        guard self.headers[.contentType] == "application/problem+json" else { return nil }
        return try? self.read(ProblemSeen.self).code
    }
}

struct ProblemSeen: Decodable { let code: String }

struct SummarySeen: Decodable, Hashable {
    let id: Ticket.ID
    let number: Int64
    let reason: String
    let subject: String
    let state: TicketState
    let firstResponseDue: Timestamp?
    let solutionDue: Timestamp?
    let satisfaction: Int16?
}

struct TicketSeen: Decodable {
    struct Clocks: Decodable {
        let firstResponseAt: Timestamp?
        let firstResponseLate: Bool
        let solutionSeconds: Int64
        let solutionDue: Timestamp?
    }

    struct Message: Decodable {
        let author: String
        let text: String
        let notice: String?
    }

    struct Photo: Decodable {
        let id: Support.Photo.ID
        let contentType: String
        let width: Int
        let height: Int
        let url: String
    }

    let ticket: SummarySeen
    let clocks: Clocks
    let messages: [Message]
    let photos: [Photo]
    let reopenableUntil: Timestamp?
}

struct StaffSummarySeen: Decodable {
    struct Lease: Decodable {
        let holder: Staff.ID
        let until: Timestamp
    }

    let ticket: SummarySeen
    let member: Member.ID?
    let email: String?
    let source: String
    let team: String
    let assignee: Staff.ID?
    let tags: [String]
    let escalation: Int
    let lease: Lease?
}

struct StaffTicketSeen: Decodable {
    struct Message: Decodable {
        let message: TicketSeen.Message
        let note: Bool
        let staff: Staff.ID?
        let evidence: ReceiptEvidence?
    }

    struct Event: Decodable {
        let kind: String
        let state: String
    }

    let summary: StaffSummarySeen
    let messages: [Message]
    let events: [Event]
    let corrections: [CorrectionSeen]
}

struct CorrectionSeen: Decodable, Hashable {
    let id: LedgerTransferID
    let points: Int64
    let state: String
    let maker: Staff.ID?
    let checker: Staff.ID?
    let refusal: String?
}

typealias LedgerTransferID = Correction.ID

struct PageSeen<Item: Decodable>: Decodable {
    let items: [Item]
    let next: String?
}

extension TestClientProtocol {
    /// Asks a route. A POST gets an Idempotency-Key of its own unless the headers have one.
    func ask(
        _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil, token: String? = nil,
        key: String = UUID().uuidString
    ) async throws -> Answered {
        try await self.send(
            method, path, body.map { Array($0.utf8) }, type: body == nil ? nil : "application/json", token: token,
            key: key)
    }

    /// Sends bytes of any type.
    func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: [UInt8]?, type: String?, token: String? = nil,
        key: String = UUID().uuidString
    ) async throws -> Answered {
        var headers = HTTPFields()
        if let type { headers[.contentType] = type }
        if let token { headers[.authorization] = "Bearer \(token)" }
        if method == .post { headers[try #require(HTTPField.Name("Idempotency-Key"))] = key }
        let response = try await self.execute(
            uri: path, method: method, headers: headers, body: body.map { ByteBuffer(bytes: $0) })
        return Answered(
            status: response.status.code, headers: response.headers, body: Array(response.body.readableBytesView))
    }

    /// Opens a ticket about an ordinary thing.
    func open(
        _ token: String, text: String = "Где мои баллы?", reason: String = "points-expired", extra: String = ""
    ) async throws -> SummarySeen {
        let answer = try await self.ask(
            .post, "/v1/tickets", #"{"reason": "\#(reason)", "text": "\#(text)"\#(extra)}"#, token: token)
        try #require(answer.status == 201, "\(answer.text)")
        return try answer.read()
    }
}

import AsyncHTTPClient
import FoundationEssentials
import Kernel
import NIOCore
import NIOHTTP1

/// A till: posts receipts to promotions over HTTP, with a till's key, and again until there is an answer.
///
/// The same body is sent again after a lost connection, a refusal for the moment (429) or a failure of the service
/// (5xx), so that services and the database may be killed in the middle: the fiscal triple makes a repetition harmless.
struct TillClient: Sendable {
    /// What became of a receipt.
    enum Answer: Sendable, Equatable {
        /// Accepted now, with so many points.
        case accepted(points: Int64)
        /// Accepted before, by this or another client.
        case known(points: Int64)
        /// Refused for good, with the problem's code.
        case refused(code: String)
    }

    private struct Accepted: Decodable {
        let points: Int64
    }

    private struct Refused: Decodable {
        let type: String
    }

    let http: HTTPClient
    /// Where promotions answers.
    let url: String
    let key: Secret
    let retries: Retries

    /// Most that is read of an answer, in bytes.
    private static let answerLimit = 1 << 20

    /// - Throws: ``CommandFailure`` (69) when no attempt had an answer.
    func post(_ receipt: TillReceiptBody) async throws -> Answer {
        let body = ByteBuffer(bytes: try JSONEncoder().encode(receipt))
        var request = HTTPClientRequest(url: "\(self.url)/pos/v1/receipts")
        request.method = .POST
        request.headers.add(name: "Authorization", value: "Bearer \(self.key.text)")
        request.headers.add(name: "Content-Type", value: "application/json")
        return try await self.retries.run("promotions does not answer") { [request] in
            var request = request
            request.body = .bytes(body)
            let response = try await self.http.execute(request, timeout: .seconds(30))
            let answer = try await response.body.collect(upTo: Self.answerLimit)
            guard response.status.code < 500, response.status != .tooManyRequests else {
                throw Unanswered(after: response.headers.first(name: "Retry-After").flatMap(Int64.init))
            }
            return try Self.answer(response.status, Data(answer.readableBytesView))
        }
    }

    private static func answer(_ status: HTTPResponseStatus, _ body: Data) throws -> Answer {
        let decoder = JSONDecoder()
        switch status {
        case .created: return .accepted(points: try decoder.decode(Accepted.self, from: body).points)
        case .ok: return .known(points: try decoder.decode(Accepted.self, from: body).points)
        default:
            let problem = try? decoder.decode(Refused.self, from: body)
            return .refused(
                code: problem.flatMap { $0.type.split(separator: ":").last.map(String.init) } ?? "\(status)")
        }
    }
}

/// The service refused for the moment.
struct Unanswered: Error {
    /// What the service asked for, in seconds.
    let after: Int64?
}

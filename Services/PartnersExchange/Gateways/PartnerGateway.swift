import FoundationEssentials
import Kernel
import Redemption

/// A partner that is reached by signed HTTP, as this folder's service and the simulator speak it.
///
/// `POST /orders` makes an order, once for each `order`: the same again is answered by how it stands. `GET /orders/{order}`
/// says how it stands. `POST /accounts/check` says whether there is such a number, and whether the name is its holder's.
struct PartnerGateway: Sendable {
    let http: PartnerHTTP
    let clock: any WallClock
    /// Without a slash at its end.
    let address: String
    let secret: String

    /// What a partner is asked to do.
    struct Order: Encodable, Sendable {
        let order: Exchange.ID
        let account: String?
        let offer: String
        let units: Int64
        let points: Points
    }

    private struct OrderAnswer: Decodable {
        let order: Exchange.ID
        let status: PartnerStatus
        let reference: String?
        let reason: String?
    }

    private struct AccountQuestion: Encodable {
        let account: String
        let surname: String
        let name: String
    }

    /// What a partner says of a number.
    struct Account: Decodable, Sendable {
        let exists: Bool
        let nameMatches: Bool
    }

    /// The partner is there and will not, or cannot, answer.
    struct Failed: Error, CustomStringConvertible {
        let status: Int
        var description: String { "the partner answered with \(self.status)" }
    }

    func submit(_ order: Order) async throws -> FulfilmentAnswer {
        try self.read(try await self.send("POST", "/orders", try JSONEncoder().encode(order)), of: order.order)
    }

    func inquire(_ order: Exchange.ID) async throws -> FulfilmentAnswer {
        let answer = try await self.send("GET", "/orders/\(order)", nil)
        if answer.status == 404 { return .notFound }
        return try self.read(answer, of: order)
    }

    func check(account: String, surname: String, name: String) async throws -> Account {
        let question = AccountQuestion(account: account, surname: surname, name: name)
        let answer = try await self.send("POST", "/accounts/check", try JSONEncoder().encode(question))
        guard answer.status == 200 else { throw Failed(status: answer.status) }
        return try JSONDecoder().decode(Account.self, from: Data(answer.body))
    }

    /// A refusal is a refusal only when it says so about this very order. Everything else, such as a refusal by some
    /// machine in between, says nothing about what was done.
    private func read(_ answer: PartnerHTTP.Answer, of order: Exchange.ID) throws -> FulfilmentAnswer {
        guard [200, 201, 202, 422].contains(answer.status) else { throw Failed(status: answer.status) }
        let body = try JSONDecoder().decode(OrderAnswer.self, from: Data(answer.body))
        guard body.order == order, (body.status == .rejected) || answer.status != 422 else {
            throw Failed(status: answer.status)
        }
        return body.status.answer(
            reference: body.reference.flatMap(PartnerText.reference), reason: PartnerText.reason(body.reason))
    }

    private func send(_ method: String, _ path: String, _ body: Data?) async throws -> PartnerHTTP.Answer {
        let bytes = body.map { Array($0) } ?? []
        let base = URL(string: self.address)?.path() ?? ""
        let (timestamp, signature) = RequestSignature.sign(
            method: method, path: (base == "/" ? "" : base) + path, body: bytes, at: self.clock.now,
            secret: self.secret)
        return try await self.http.send(
            method, self.address + path,
            headers: [
                (RequestSignature.timestampHeader, timestamp), (RequestSignature.signatureHeader, signature),
            ], body: bytes)
    }
}

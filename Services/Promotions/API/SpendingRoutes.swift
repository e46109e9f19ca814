import HTTPTypes
import Hummingbird
import Kernel
import Metrics
import Web

/// What tills call for paying with points: set aside, take, give back.
struct SpendingRoutes: Sendable {
    private let authorise: AuthoriseSpending
    private let end: EndSpending
    private let placed = Counter(label: "promotions_authorisations_total", dimensions: [("outcome", "placed")])
    private let refused = Counter(label: "promotions_authorisations_total", dimensions: [("outcome", "refused")])

    init(authorise: AuthoriseSpending, end: EndSpending) {
        (self.authorise, self.end) = (authorise, end)
    }

    func add(to group: RouterGroup<ClubRequestContext>) {
        group.post("authorisations") { request, context in
            try await self.authorise(request, from: Till(try context.requireTill()))
        }
        group.post("authorisations/:authorisation/capture") { request, context in
            let till = Till(try context.requireTill())
            let id = try context.id("authorisation", of: Hold.self)
            let body = try await StrictJSON.decode(CaptureBody.self, from: request)
            let points: Points?
            do throws(Violations) { points = try body.parsed() } catch { throw Problem(error) }
            return try await Self.answering { try await self.end.capture(id, points: points, from: till) }
        }
        group.post("authorisations/:authorisation/void") { _, context in
            let till = Till(try context.requireTill())
            let id = try context.id("authorisation", of: Hold.self)
            return try await Self.answering { try await self.end.void(id, from: till) }
        }
    }

    private func authorise(_ request: Request, from till: Till) async throws -> Answer {
        let key = try Idempotency.key(of: request)
        let bytes = try await StrictJSON.read(request, limit: TillRoutes.bodyBytesMax)
        let body = try StrictJSON.decode(AuthorisationBody.self, bytes: bytes)
        let wanted: AuthoriseSpending.Request
        do throws(Violations) {
            wanted = try body.parsed(key: key, fingerprint: Idempotency.fingerprint(bytes))
        } catch {
            throw Problem(error)
        }
        do {
            let (authorisation, isRepeated) = try await self.authorise(wanted, from: till)
            let answer = AuthorisationAnswer(authorisation)
            if isRepeated { return try .json(answer, headers: [.idempotentReplayed: "true"]) }
            self.placed.increment()
            return try .json(answer, status: .created)
        } catch let refusal as SpendingRefusal {
            self.refused.increment()
            throw Problem(refusal)
        }
    }

    private static func answering(_ end: () async throws -> Authorisation) async throws -> Answer {
        do {
            return try .json(AuthorisationAnswer(try await end()))
        } catch let refusal as SpendingRefusal {
            throw Problem(refusal)
        }
    }
}

import HTTPTypes
import Hummingbird
import Kernel
import Postgres
import Redemption
import Web

/// What partners call: news of orders, signed with the secret that both sides have.
struct PartnerRoutes: Sendable {
    let database: Database
    let clock: any WallClock
    let hear: HearPartner
    let reach: ReachPartner
    private let partners = PartnerStore()

    init(_ parts: PartnersExchangeParts) {
        (self.database, self.clock) = (parts.database, parts.clock)
        (self.hear, self.reach) = (parts.hear, parts.reach)
    }

    private struct News: Decodable, Sendable {
        let order: Exchange.ID
        let status: PartnerStatus
        let reference: String?
        let reason: String?
    }

    private struct Taken: Encodable, Sendable {
        let order: Exchange.ID
        /// Whether it was news.
        let moved: Bool
    }

    func add(to router: Router<ClubRequestContext>) {
        router.post("partner/v1/:partner/notifications") { request, context in
            let bytes = try await StrictJSON.read(request)
            let partner = try await self.authenticated(request, bytes, try context.name("partner"))
            let news = try StrictJSON.decode(News.self, bytes: bytes)
            let answer = news.status.answer(
                reference: news.reference.flatMap(PartnerText.reference), reason: PartnerText.reason(news.reason))
            let heard = try await self.database.transaction { transaction in
                try await self.hear(answer, about: news.order, from: partner, in: transaction)
            }
            switch heard {
            case .taken(let moved): return try Answer.json(Taken(order: news.order, moved: moved))
            // A person looks at it; sending it again would not help.
            case .contradiction: return try Answer.json(Taken(order: news.order, moved: false), status: .accepted)
            case .unknownOrder: throw Problem(ProblemKind.notFound)
            }
        }
    }

    /// An unknown partner is answered as one with a wrong signature.
    private func authenticated(_ request: Request, _ body: [UInt8], _ name: String) async throws -> String {
        let partner = try await self.partners.find(name, in: self.database)
        let secret = try partner.flatMap { try self.reach.secret(of: $0) }
        let isRight = RequestSignature.isRight(
            method: request.method.rawValue, path: request.uri.path, body: body,
            timestamp: request.header(RequestSignature.timestampHeader),
            signature: request.header(RequestSignature.signatureHeader), secret: secret ?? "", at: self.clock.now)
        guard isRight, let partner, secret != nil else { throw Problem(ProblemKind.signatureInvalid) }
        return partner.code
    }
}

extension Request {
    /// A header by its name; nil when there is none or more than one.
    fileprivate func header(_ name: String) -> String? {
        guard let name = HTTPField.Name(name) else { return nil }
        let values = self.headers[values: name]
        return values.count == 1 ? values.first : nil
    }
}

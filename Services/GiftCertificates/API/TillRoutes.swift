import HTTPTypes
import Hummingbird
import Kernel
import Metrics
import Web

/// What tills call for being paid with certificates: set aside, take, give back.
struct TillRoutes: Sendable {
    private let spend: SpendAtTill
    private let refusing: Refusing
    /// Codes that do not exist, by key: a till that tries codes is stopped long before it finds one.
    private let misses: RateLimiter
    private let placed = Counter(label: "gift_certificates_authorisations_total", dimensions: [("outcome", "placed")])
    private let refused = Counter(label: "gift_certificates_authorisations_total", dimensions: [("outcome", "refused")])

    init(spend: SpendAtTill, refusing: Refusing, misses: RateLimiter) {
        (self.spend, self.refusing, self.misses) = (spend, refusing, misses)
    }

    func add(to group: RouterGroup<ClubRequestContext>) {
        group.post("certificates/authorisations") { request, context in
            try await self.authorise(request, from: Till(try context.requireTill()))
        }
        group.post("certificates/authorisations/:authorisation/capture") { request, context in
            let till = Till(try context.requireTill())
            let id = try context.id("authorisation", of: CertificateHold.self)
            let amount = try await StrictJSON.decode(CaptureBody.self, from: request).parsed()
            return try await self.refusing {
                try Answer.json(AuthorisationAnswer(try await self.spend.capture(id, amount: amount, from: till)))
            }
        }
        group.post("certificates/authorisations/:authorisation/void") { _, context in
            let till = Till(try context.requireTill())
            let id = try context.id("authorisation", of: CertificateHold.self)
            return try await self.refusing {
                try Answer.json(AuthorisationAnswer(try await self.spend.void(id, from: till)))
            }
        }
    }

    private func authorise(_ request: Request, from till: Till) async throws -> Answer {
        let key = try Idempotency.key(of: request)
        let bytes = try await StrictJSON.read(request)
        let body = try StrictJSON.decode(AuthorisationBody.self, bytes: bytes)
        do {
            let wanted = try body.parsed(key: key, fingerprint: Idempotency.fingerprint(bytes))
            let answer = try await self.spend.authorise(wanted, from: till)
            if answer.isRepeated {
                return try .json(AuthorisationAnswer(answer), headers: [.idempotentReplayed: "true"])
            }
            self.placed.increment()
            return try .json(AuthorisationAnswer(answer), status: .created)
        } catch let refusal as SpendingRefusal {
            self.refused.increment()
            if refusal == .unknownCertificate { try self.misses.admit(till.key) }
            throw Problem(refusal)
        }
    }
}

/// A payment as a till asks for it. Money in kopecks.
struct AuthorisationBody: Decodable, Sendable {
    let code: String
    let store: StoreID
    let amount: Int64

    /// A text that is no code is answered like a code that does not exist.
    func parsed(key: IdempotencyKey, fingerprint: [UInt8]) throws -> SpendAtTill.Request {
        let amount = try Self.amount(self.amount)
        guard let code = CertificateCode(self.code) else { throw SpendingRefusal.unknownCertificate }
        return SpendAtTill.Request(code: code, store: self.store, amount: amount, key: key, fingerprint: fingerprint)
    }

    static func amount(_ number: Int64) throws(Problem) -> Kopecks {
        guard let amount = Kopecks(number), 1...FaceValue.most ~= number else {
            throw Problem(.invalidValue, at: "/amount", detail: "kopecks from 1 to \(FaceValue.most)")
        }
        return amount
    }
}

/// How much of an authorisation is taken; without `amount` all of it.
struct CaptureBody: Decodable, Sendable {
    let amount: Int64?

    func parsed() throws(Problem) -> Kopecks? {
        guard let amount = self.amount else { return nil }
        return try AuthorisationBody.amount(amount)
    }
}

/// An authorisation as its till sees it. Money in kopecks; nothing of the member is in it.
struct AuthorisationAnswer: Encodable, Sendable {
    let authorisation: CertificateHold.ID
    let state: String
    let amount: Kopecks
    let captured: Kopecks?
    /// What is left on the certificate beside this.
    let remaining: Kopecks
    let expiresAt: Timestamp

    init(_ answer: SpendAtTill.Answer) {
        (self.authorisation, self.state) = (answer.hold.id, answer.hold.state.rawValue)
        (self.amount, self.captured) = (answer.hold.amount, answer.hold.captured)
        (self.remaining, self.expiresAt) = (answer.remaining, answer.hold.expiresAt)
    }
}

extension Till {
    /// The till as its key describes it.
    init(_ key: TillKey) { self.init(key: key.id, store: key.store) }
}

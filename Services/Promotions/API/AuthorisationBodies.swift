import Kernel

/// A payment with points as a till asks for it.
struct AuthorisationBody: Decodable, Sendable {
    let cardToken: String
    let store: String
    /// The receipt so far: excluded lines are not paid with points.
    let lines: [LineBody]
    let total: Int64
    let points: Int64
}

extension AuthorisationBody {
    /// - Parameter fingerprint: SHA-256 of the request's body.
    func parsed(key: IdempotencyKey, fingerprint: [UInt8]) throws(Violations) -> AuthoriseSpending.Request {
        var violations = Violations()
        let store = StoreID.checked(self.store, at: "/store", &violations)
        let lines = self.lines.parsed(at: "", total: self.total, &violations)
        let points = Points.aboveZero(self.points, at: "/points", &violations)
        guard violations.isEmpty, let store, let lines, let points, let total = Kopecks(self.total) else {
            throw violations
        }
        return AuthoriseSpending.Request(
            cardToken: self.cardToken, store: store, lines: lines, total: total, points: points, key: key,
            fingerprint: fingerprint)
    }
}

/// How much of an authorisation is taken; without `points` all of it.
struct CaptureBody: Decodable, Sendable {
    let points: Int64?

    func parsed() throws(Violations) -> Points? {
        var violations = Violations()
        guard let wanted = self.points else { return nil }
        guard let points = Points.aboveZero(wanted, at: "/points", &violations) else { throw violations }
        return points
    }
}

extension Points {
    fileprivate static func aboveZero(
        _ amount: Int64, at pointer: String, _ violations: inout Violations
    ) -> Points? {
        guard let points = Points(amount), points > .zero else {
            violations.add(.invalidPoints, pointer, "a whole number of points from 1")
            return nil
        }
        return points
    }
}

/// An authorisation as its till sees it. Nothing of the member is in it.
struct AuthorisationAnswer: Encodable, Sendable {
    let authorisation: Hold.ID
    let state: String
    let points: Points
    let captured: Points?
    let expiresAt: Timestamp?

    init(_ authorisation: Authorisation) {
        self.authorisation = authorisation.id
        self.state = authorisation.state.rawValue
        self.points = authorisation.points
        self.captured = authorisation.captured
        self.expiresAt = authorisation.expiresAt
    }
}

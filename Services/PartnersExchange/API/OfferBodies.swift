import Kernel
import Web

/// An offer as its manager sees it.
struct ManagedOfferBody: Encodable, Sendable {
    let offer: String
    let partner: String
    let terms: OfferTerms
    /// Codes of the pool that nobody has yet; of other kinds absent.
    let codesLeft: Int64?

    init(_ offer: Offer, of kind: Partner.Kind) {
        (self.offer, self.partner, self.terms) = (offer.code, offer.partner, offer.managed(by: kind))
        self.codesLeft = kind == .codes ? offer.stock : nil
    }
}

/// What a colleague asks for says why.
protocol GivesReason: Decodable, Sendable {
    var reason: String { get }
}

/// An offer that is to be made.
struct NewOfferRequest: GivesReason {
    let offer: String
    let partner: String
    let title: Bilingual
    let unit: Bilingual
    let pointsStep: Int64
    let unitsStep: Int64
    let kopecksStep: Int64
    let pointsMin: Int64
    let pointsMax: Int64
    let isSpecial: Bool?
    let validFrom: Timestamp
    let validTo: Timestamp?
    let stock: Int64?
    let budget: Int64?
    let lowStock: Int64?
    let reason: String

    /// - Throws: `invalid-value`.
    func parsed() throws(Problem) -> NewOffer {
        guard PartnerText.isName(self.offer), self.offer.utf8.first.map({ (0x61...0x7A).contains($0) }) == true else {
            throw Problem(
                ProblemKind.invalidValue, at: "/offer", detail: "a small letter, then small letters, digits and hyphens"
            )
        }
        return NewOffer(
            offer: self.offer,
            terms: OfferTerms(
                title: self.title, unit: self.unit, pointsStep: self.pointsStep, unitsStep: self.unitsStep,
                kopecksStep: self.kopecksStep, pointsMin: self.pointsMin, pointsMax: self.pointsMax,
                isSpecial: self.isSpecial ?? false, validFrom: self.validFrom, validTo: self.validTo, stock: self.stock,
                budget: self.budget, lowStock: self.lowStock ?? 0, isActive: true))
    }
}

/// What is to be changed about an offer.
struct OfferChangeRequest: GivesReason {
    let change: OfferChange
    let reason: String
}

/// Why one person stops an offer.
struct OfferStopRequest: GivesReason {
    let reason: String
}

/// Where a partner is to be reached.
struct AddressRequest: GivesReason {
    let address: String
    let reason: String
}

/// What another colleague says to a change.
struct ChangeDecisionRequest: Decodable, Sendable {
    enum Decision: String, Decodable, Sendable { case approved, rejected }

    let decision: Decision
    let comment: String
}

/// What somebody wants changed, or has changed.
struct PartnerChangeBody: Encodable, Sendable {
    let change: PartnerChange.ID
    let kind: PartnerChange.Kind
    let state: PartnerChange.State
    let partner: String
    let offer: String?
    let wanted: PartnerChange.Wanted
    let before: OfferTerms?
    let reason: String
    let madeBy: Staff.ID
    let madeAt: Timestamp
    let decidedBy: Staff.ID?
    let decidedAt: Timestamp?
    let comment: String?

    init(_ change: PartnerChange) {
        (self.change, self.kind, self.state) = (change.id, change.kind, change.state)
        (self.partner, self.offer) = (change.partner, change.offer)
        (self.wanted, self.before, self.reason) = (change.wanted, change.before, change.reason)
        (self.madeBy, self.madeAt) = (change.madeBy, change.madeAt)
        (self.decidedBy, self.decidedAt, self.comment) = (change.decidedBy, change.decidedAt, change.comment)
    }
}

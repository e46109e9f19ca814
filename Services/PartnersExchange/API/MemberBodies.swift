import FoundationEssentials
import Kernel
import Redemption
import Web

/// A partner as everybody sees it.
struct PartnerBody: Encodable, Sendable {
    let partner: String
    let category: Partner.Category
    let title: Bilingual
    let about: Bilingual
    /// Whether the member's number in its programme is needed.
    let needsNumber: Bool
    let promiseSeconds: Int64
    let offers: [OfferBody]

    init(_ partner: Partner, offers: [Offer]) {
        (self.partner, self.category) = (partner.code, partner.category)
        (self.title, self.about) = (partner.title, partner.about)
        self.needsNumber = partner.numberRule != nil
        self.promiseSeconds = partner.promise.components.seconds
        self.offers = offers.filter { $0.partner == partner.code }.map(OfferBody.init)
    }
}

/// An offer as everybody sees it.
struct OfferBody: Encodable, Sendable {
    let offer: String
    let partner: String
    let title: Bilingual
    let unit: Bilingual
    let points: Range
    /// Units for each step of points.
    let unitsPerStep: Int64
    let isSpecial: Bool
    let isSoldOut: Bool
    let validTo: Timestamp?

    struct Range: Encodable, Sendable {
        let step: Int64
        let min: Int64
        let max: Int64
    }

    init(_ offer: Offer) {
        (self.offer, self.partner, self.title, self.unit) = (offer.code, offer.partner, offer.title, offer.unit)
        self.points = Range(step: offer.pointsStep, min: offer.pointsMin, max: offer.pointsMax)
        (self.unitsPerStep, self.isSpecial, self.validTo) = (offer.unitsStep, offer.isSpecial, offer.validTo)
        self.isSoldOut = offer.stock == 0 || offer.budget.map { $0 < offer.pointsMin } ?? false
    }
}

/// A linked number as its member sees it.
struct LinkBody: Encodable, Sendable {
    let partner: String
    /// The last four digits.
    let tail: String
    let linkedAt: Timestamp
    let coolingUntil: Timestamp?

    init(_ link: PartnerLink, at now: Timestamp) {
        (self.partner, self.tail, self.linkedAt) = (link.partner, link.tail, link.linkedAt)
        self.coolingUntil = link.coolingUntil.flatMap { now < $0 ? $0 : nil }
    }
}

/// A number to be linked.
struct LinkRequest: Decodable, Sendable {
    let number: String
    let surname: String
    let name: String

    /// - Throws: `invalid-value` for names that are none.
    func parsed(partner: String) throws(Problem) -> LinkNumber.Request {
        for (text, pointer) in [(self.surname, "/surname"), (self.name, "/name")] {
            guard 1...60 ~= text.count, !text.unicodeScalars.contains(where: { $0.value < 32 || $0 == "\u{7F}" }) else {
                throw Problem(ProblemKind.invalidValue, at: pointer, detail: "1 to 60 printable characters")
            }
        }
        return LinkNumber.Request(partner: partner, number: self.number, surname: self.surname, name: self.name)
    }
}

/// A number whose form is to be looked at, as it is typed.
struct NumberRequest: Decodable, Sendable {
    let number: String
}

/// Whether a number has the form of the partner's.
struct NumberAnswer: Encodable, Sendable {
    let isValid: Bool
    /// `length`, `prefix`, `checksum`, `characters`.
    let flaw: String?
}

/// Which offer, for how many points.
struct QuoteRequest: Decodable, Sendable {
    let offer: String
    let points: Points
}

/// Whether another code is wanted than the one that was sent.
struct CodeRequest: Decodable, Sendable {
    let again: Bool?
}

/// What was sent by SMS.
struct CodeAnswer: Encodable, Sendable {
    let expiresAt: Timestamp?
    let resendAt: Timestamp?
}

/// The code as the member typed it.
struct ConfirmationRequest: Decodable, Sendable {
    let code: String

    /// - Throws: `code-refused` for what no code is, as for a wrong one.
    func checked() throws(Problem) -> String {
        guard 1...16 ~= self.code.utf8.count, self.code.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw Problem(ProblemKind.codeRefused, at: "/code")
        }
        return self.code
    }
}

/// The token of the link of an SMS.
struct CancellationRequest: Decodable, Sendable {
    let token: String
}

/// An exchange as its member sees it.
struct ExchangeBody: Encodable, Sendable {
    let exchange: Exchange.ID
    let partner: String
    let offer: String
    let title: Bilingual
    let points: Points
    let units: Int64
    let unit: Bilingual
    /// The last digits of the number that it goes to.
    let account: String?
    let state: RedemptionState
    let since: Timestamp
    let reason: String?
    let reference: String?
    let quotedUntil: Timestamp
    /// While it waits: when it goes to the partner. Until then it can be taken back.
    let startsAt: Timestamp?
    /// By when it should be credited, as the partner promises.
    let expectedBy: Timestamp?
    let code: String?
    let steps: [Step]

    struct Step: Encodable, Sendable {
        let state: RedemptionState
        let at: Timestamp
        let reason: String?
    }

    init(_ shown: ShownExchange) {
        let (order, record) = (shown.order, shown.record)
        (self.exchange, self.partner, self.offer) = (order.id, order.partner, order.offer)
        (self.title, self.unit) = (shown.offer.title, shown.offer.unit)
        (self.points, self.units, self.account) = (order.points, order.units, order.tail)
        (self.state, self.since, self.reason) = (record.state, record.since, record.reason)
        (self.reference, self.quotedUntil) = (record.reference, record.quotedUntil)
        self.startsAt = record.state == .reserved ? record.since + record.pause : nil
        let begun = shown.steps.first { $0.state == .submitted }?.at ?? self.startsAt
        self.expectedBy = record.state.isUnderWay ? begun.map { $0 + shown.partner.promise } : nil
        self.code = shown.code
        self.steps = shown.steps.map { Step(state: $0.state, at: $0.at, reason: $0.reason) }
    }
}

import Kernel
import Postgres

/// Somebody who takes points for something of theirs.
struct Partner: Hashable, Sendable {
    /// How orders reach it.
    enum Kind: String, Codable, Hashable, Sendable, CaseIterable {
        /// Orders by signed HTTP; it is asked what became of them.
        case rest
        /// Orders by signed HTTP; it tells by signed HTTP what became of them.
        case webhook
        /// Codes that it gave us beforehand.
        case codes
        /// A file of orders a day from us, a file of results from it.
        case file
    }

    enum Category: String, Codable, Hashable, Sendable, CaseIterable {
        case travel, books, cosmetics, electronics
    }

    /// The name in addresses and in the ledger: `s7`.
    let code: String
    let kind: Kind
    let category: Category
    let title: Bilingual
    let about: Bilingual
    /// nil: no number of the member's is needed.
    let numberRule: NumberRule?
    /// Where it answers; nil: not set yet, or not needed.
    let address: String?
    /// What both sides sign with, sealed.
    let secret: [UInt8]?
    /// How long it says that crediting takes.
    let promise: Duration
    let isActive: Bool
    /// Whether the ledger has accounts for it.
    let isOpen: Bool
    let breaker: Breaker

    /// Whether it must be reached to fulfil an order.
    var isRemote: Bool { self.kind == .rest || self.kind == .webhook }
}

/// A text in the two languages of the programme.
struct Bilingual: Codable, Hashable, Sendable {
    let ru: String
    let en: String
}

/// A programme of a partner: so many points are so many units of its own.
struct Offer: Hashable, Sendable {
    let code: String
    let partner: String
    let title: Bilingual
    /// What is got: «миль», "miles".
    let unit: Bilingual
    let pointsStep: Int64
    let unitsStep: Int64
    /// What we owe the partner for each step.
    let kopecksStep: Int64
    let pointsMin: Int64
    let pointsMax: Int64
    /// Whether it stands among the privileges.
    let isSpecial: Bool
    let validFrom: Timestamp
    /// The first moment after it; nil: for ever.
    let validTo: Timestamp?
    /// Exchanges that are left; of a code pool the codes. nil: any number.
    let stock: Int64?
    /// Points that are left of its budget; nil: any number.
    let budget: Int64?
    let lowStock: Int64
    let isActive: Bool
}

extension Offer {
    /// What is got for points.
    struct Terms: Hashable, Sendable {
        let points: Points
        let units: Int64
        let worth: Kopecks
    }

    /// What is got for so many points.
    /// - Throws: ``ExchangeRefusal`` for an amount that the offer does not have.
    func terms(for points: Points) throws(ExchangeRefusal) -> Terms {
        let refusal = ExchangeRefusal.wrongAmount(step: self.pointsStep, min: self.pointsMin, max: self.pointsMax)
        guard self.pointsMin...self.pointsMax ~= points.amount, points.amount % self.pointsStep == 0 else {
            throw refusal
        }
        let steps = points.amount / self.pointsStep
        let (units, tooMany) = steps.multipliedReportingOverflow(by: self.unitsStep)
        let (kopecks, tooMuch) = steps.multipliedReportingOverflow(by: self.kopecksStep)
        guard !tooMany, !tooMuch, let worth = Kopecks(kopecks) else { throw refusal }
        return Terms(points: points, units: units, worth: worth)
    }

    /// Whether it can be had at a moment.
    func isOpen(at now: Timestamp) -> Bool {
        self.isActive && self.validFrom <= now && self.validTo.map { now < $0 } ?? true
    }
}

extension Partner.Kind: PostgresWrapper {}
extension Partner.Category: PostgresWrapper {}

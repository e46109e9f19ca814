import Kernel

/// What partner managers decide about an offer.
struct OfferTerms: Codable, Hashable, Sendable {
    var title: Bilingual
    /// What is got: «миль», "miles".
    var unit: Bilingual
    /// Each so many points are so many units, and so many kopecks that we owe the partner.
    var pointsStep: Int64
    var unitsStep: Int64
    var kopecksStep: Int64
    var pointsMin: Int64
    var pointsMax: Int64
    var isSpecial: Bool
    var validFrom: Timestamp
    /// The first moment after it; nil: for ever.
    var validTo: Timestamp?
    /// Exchanges and points that are left; nil: any number. Of a code pool the stock is its codes.
    var stock: Int64?
    var budget: Int64?
    /// Of a code pool: an alarm when fewer are left.
    var lowStock: Int64
    var isActive: Bool

    /// The part that is wrong, as a JSON Pointer, and what is right.
    struct Flaw: Error, Hashable, Sendable {
        let pointer: String
        let detail: String
    }

    /// Points, units and kopecks of a step, and of an exchange; their products fit into an Int64.
    static let amounts: ClosedRange<Int64> = 1...1_000_000_000
    /// Exchanges or points that are left.
    static let counts: ClosedRange<Int64> = 0...1_000_000_000_000

    /// - Parameter kind: of the partner that offers it.
    /// - Throws: ``Flaw`` for the first part that is wrong.
    func check(of kind: Partner.Kind) throws(Flaw) {
        for (text, pointer, most) in [
            (self.title.ru, "/title/ru", 200), (self.title.en, "/title/en", 200), (self.unit.ru, "/unit/ru", 40),
            (self.unit.en, "/unit/en", 40),
        ] where !Self.isText(text, most: most) {
            throw Flaw(pointer: pointer, detail: "1 to \(most) characters on one line")
        }
        for (amount, pointer, least) in [
            (self.pointsStep, "/pointsStep", 1), (self.unitsStep, "/unitsStep", 1),
            (self.kopecksStep, "/kopecksStep", 0), (self.pointsMin, "/pointsMin", 1), (self.pointsMax, "/pointsMax", 1),
            (self.lowStock, "/lowStock", 0),
        ] as [(Int64, String, Int64)] where !(least...Self.amounts.upperBound ~= amount) {
            throw Flaw(pointer: pointer, detail: "\(least) to \(Self.amounts.upperBound)")
        }
        for (amount, pointer) in [(self.pointsMin, "/pointsMin"), (self.pointsMax, "/pointsMax")]
        where amount % self.pointsStep != 0 {
            throw Flaw(pointer: pointer, detail: "a multiple of pointsStep")
        }
        guard self.pointsMin <= self.pointsMax else {
            throw Flaw(pointer: "/pointsMax", detail: "not below pointsMin")
        }
        if let end = self.validTo, end <= self.validFrom {
            throw Flaw(pointer: "/validTo", detail: "after validFrom")
        }
        for (count, pointer) in [(self.stock, "/stock"), (self.budget, "/budget")] {
            guard let count else { continue }
            guard Self.counts ~= count else { throw Flaw(pointer: pointer, detail: "0 to \(Self.counts.upperBound)") }
        }
        guard kind != .codes || self.stock == nil else {
            throw Flaw(pointer: "/stock", detail: "the stock of a code pool is its codes")
        }
    }

    private static func isText(_ text: String, most: Int) -> Bool {
        1...most ~= text.count && text.contains { !$0.isWhitespace }
            && !text.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F }
    }
}

/// An offer that does not exist yet.
struct NewOffer: Codable, Hashable, Sendable {
    let offer: String
    let terms: OfferTerms
}

/// What is to be changed about an offer; nil keeps a part.
struct OfferChange: Codable, Hashable, Sendable {
    var title: Bilingual?
    var unit: Bilingual?
    var pointsStep: Int64?
    var unitsStep: Int64?
    var kopecksStep: Int64?
    var pointsMin: Int64?
    var pointsMax: Int64?
    var isSpecial: Bool?
    var validFrom: Timestamp?
    var validTo: Timestamp?
    /// true: it has no end any more.
    var isOpenEnded: Bool?
    var stock: Count?
    var budget: Count?
    var lowStock: Int64?
    /// true: a paused offer goes on.
    var isActive: Bool?

    /// How a number that exchanges take from meanwhile is changed. One of the three is given.
    struct Count: Codable, Hashable, Sendable {
        /// So many more, or fewer when below zero.
        var add: Int64?
        var set: Int64?
        /// true: any number from now on.
        var unlimited: Bool?
    }

    /// The terms with this changed.
    /// - Throws: ``OfferTerms/Flaw`` for a count that cannot be changed so.
    func applied(to terms: OfferTerms) throws(OfferTerms.Flaw) -> OfferTerms {
        var next = terms
        next.title = self.title ?? terms.title
        next.unit = self.unit ?? terms.unit
        next.pointsStep = self.pointsStep ?? terms.pointsStep
        next.unitsStep = self.unitsStep ?? terms.unitsStep
        next.kopecksStep = self.kopecksStep ?? terms.kopecksStep
        next.pointsMin = self.pointsMin ?? terms.pointsMin
        next.pointsMax = self.pointsMax ?? terms.pointsMax
        next.isSpecial = self.isSpecial ?? terms.isSpecial
        next.validFrom = self.validFrom ?? terms.validFrom
        next.validTo = self.isOpenEnded == true ? nil : self.validTo ?? terms.validTo
        next.stock = try Self.counted(self.stock, terms.stock, "/stock")
        next.budget = try Self.counted(self.budget, terms.budget, "/budget")
        next.lowStock = self.lowStock ?? terms.lowStock
        next.isActive = self.isActive ?? terms.isActive
        return next
    }

    private static func counted(
        _ change: Count?, _ now: Int64?, _ pointer: String
    ) throws(OfferTerms.Flaw) -> Int64? {
        guard let change else { return now }
        switch (change.add, change.set, change.unlimited) {
        case (let more?, nil, nil):
            guard let now else { throw OfferTerms.Flaw(pointer: pointer, detail: "there is no limit to add to") }
            let (sum, isTooMuch) = now.addingReportingOverflow(more)
            guard !isTooMuch, OfferTerms.counts ~= sum else {
                throw OfferTerms.Flaw(pointer: "\(pointer)/add", detail: "leaves no possible number")
            }
            return sum
        case (nil, let number?, nil): return number
        case (nil, nil, true): return nil
        default: throw OfferTerms.Flaw(pointer: pointer, detail: "one of add, set and unlimited: true")
        }
    }
}

extension Offer {
    /// Its terms as a manager sees them.
    /// - Parameter kind: of its partner; a code pool's codes are no stock that could be changed.
    func managed(by kind: Partner.Kind) -> OfferTerms {
        OfferTerms(
            title: self.title, unit: self.unit, pointsStep: self.pointsStep, unitsStep: self.unitsStep,
            kopecksStep: self.kopecksStep, pointsMin: self.pointsMin, pointsMax: self.pointsMax,
            isSpecial: self.isSpecial, validFrom: self.validFrom, validTo: self.validTo,
            stock: kind == .codes ? nil : self.stock, budget: self.budget, lowStock: self.lowStock,
            isActive: self.isActive)
    }
}

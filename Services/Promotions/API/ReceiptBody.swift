import Kernel

/// A receipt as a till writes it. Money in kopecks, quantities in thousandths.
struct ReceiptBody: Decodable, Sendable {
    let fiscal: FiscalBody
    let store: String
    let at: String
    let card: String
    let lines: [LineBody]
    let total: Int64
    /// The payments with points that paid a part of it.
    let authorisations: [String]?
    /// The coupons that were taken for it.
    let coupons: [String]?
    /// Until when an online order's points wait.
    let maturesAt: String?
}

/// A sale that may yet happen, so that it has no fiscal triple, or has one that does not matter.
struct QuoteBody: Decodable, Sendable {
    let fiscal: FiscalBody?
    let store: String
    let at: String
    let card: String
    let lines: [LineBody]
    let total: Int64
    let coupons: [String]?
}

/// The fiscal triple: drive, document, sign.
struct FiscalBody: Decodable, Sendable {
    let fn: String
    let fd: Int64
    let fpd: Int64
}

struct LineBody: Decodable, Sendable {
    let position: Int64
    let sku: String
    let ean: String?
    let name: String?
    let category: String?
    let quantity: Int64
    let price: Int64
    let discount: Int64?
    let sum: Int64
    let tags: [String]?
}

extension ReceiptBody {
    /// The receipt, with every value checked, or what is wrong with it.
    ///
    /// - Parameter pointer: where the receipt stands in its document; empty when it is the document.
    func parsed(at pointer: String = "") throws(Violations) -> TillReceipt {
        var violations = Violations()
        let fiscal = self.fiscal.parsed(at: pointer + "/fiscal", &violations)
        let sale = Sale(
            store: self.store, at: self.at, card: self.card, lines: self.lines, total: self.total,
            coupons: self.coupons, pointer: pointer, &violations)
        let authorisations = Identifier<Hold>.list(
            self.authorisations, at: pointer + "/authorisations", &violations)
        let maturesAt = self.parsedMaturity(at: pointer + "/maturesAt", soldAt: sale?.at, &violations)
        guard violations.isEmpty, let fiscal, let sale else { throw violations }
        return TillReceipt(fiscal: fiscal, sale: sale, authorisations: authorisations, maturesAt: maturesAt)
    }

    /// Points wait for a delivery, which is after the sale and not years away.
    private func parsedMaturity(
        at pointer: String, soldAt: Timestamp?, _ violations: inout Violations
    ) -> Timestamp? {
        guard let text = self.maturesAt else { return nil }
        guard let moment = Timestamp(text), let soldAt, soldAt <= moment, moment - soldAt <= ReceiptLimits.maturityMax
        else {
            violations.add(.invalidTime, pointer, "ISO 8601 with a zone, at most 60 days after the sale")
            return nil
        }
        return moment
    }
}

extension QuoteBody {
    func parsed() throws(Violations) -> Sale {
        var violations = Violations()
        _ = self.fiscal?.parsed(at: "/fiscal", &violations)
        let sale = Sale(
            store: self.store, at: self.at, card: self.card, lines: self.lines, total: self.total,
            coupons: self.coupons, pointer: "", &violations)
        guard violations.isEmpty, let sale else { throw violations }
        return sale
    }
}

extension FiscalBody {
    func parsed(at pointer: String, _ violations: inout Violations) -> FiscalID? {
        let fiscal = FiscalID(fn: self.fn, fd: self.fd, fpd: self.fpd)
        if fiscal == nil {
            violations.add(.invalidFiscalID, pointer, "fn has 16 digits, fd is 1 to 9999999999, fpd is 0 to 4294967295")
        }
        return fiscal
    }
}

extension Sale {
    fileprivate init?(
        store: String, at: String, card: String, lines: [LineBody], total: Int64, coupons: [String]?, pointer: String,
        _ violations: inout Violations
    ) {
        let store = StoreID.checked(store, at: pointer + "/store", &violations)
        let at = Timestamp(at)
        if at == nil { violations.add(.invalidTime, pointer + "/at", "ISO 8601 with a zone: 2026-11-23T10:00:00Z") }
        let card = Self.card(card, at: pointer + "/card", &violations)
        let lines = lines.parsed(at: pointer, total: total, &violations)
        let coupons = Coupon.ID.list(coupons, at: pointer + "/coupons", &violations)
        guard let store, let at, let card, let lines, let total = Kopecks(total) else { return nil }
        self.init(store: store, at: at, card: card, lines: lines, total: total, coupons: coupons)
    }

    /// Sixteen digits with a wrong check digit are a card that nobody has: said with the same code as any other
    /// unknown card.
    private static func card(_ text: String, at pointer: String, _ violations: inout Violations) -> CardNumber? {
        guard text.utf8.count == 16, text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else {
            violations.add(.invalidCard, pointer, "a card has 16 digits")
            return nil
        }
        guard let card = CardNumber(text) else {
            violations.add(.unknownCard, pointer, "no member has this card")
            return nil
        }
        return card
    }
}

extension [LineBody] {
    /// The lines in the order of their positions; nil when something was found wrong with them or with their total.
    func parsed(at pointer: String, total: Int64, _ violations: inout Violations) -> [ReceiptLine]? {
        guard self.count <= ReceiptLimits.linesMax else {
            violations.add(.tooManyLines, pointer + "/lines", "at most \(ReceiptLimits.linesMax) lines")
            return nil
        }
        guard !self.isEmpty else {
            violations.add(.emptyReceipt, pointer + "/lines", "a receipt has at least one line")
            return nil
        }
        var positions: Set<Int64> = []
        var lines: [ReceiptLine] = []
        lines.reserveCapacity(self.count)
        for (index, line) in self.enumerated() {
            let pointer = "\(pointer)/lines/\(index)"
            if !positions.insert(line.position).inserted {
                violations.add(.duplicatePosition, pointer + "/position", "another line has this position")
            }
            if let line = line.parsed(at: pointer, &violations) { lines.append(line) }
        }
        guard let total = Kopecks.checked(total, at: pointer + "/total", &violations), lines.count == self.count
        else { return nil }
        // Each is at most `kopecksMax`, so the sum of `linesMax` of them fits.
        let sum = lines.reduce(0) { $0 + $1.sum.amount }
        guard total.amount == sum else {
            violations.add(.totalMismatch, pointer + "/total", "the lines sum to \(sum)")
            return nil
        }
        return lines.sorted { $0.position < $1.position }
    }
}

extension LineBody {
    fileprivate func parsed(at pointer: String, _ violations: inout Violations) -> ReceiptLine? {
        let before = violations.found.count
        if !(1...ReceiptLimits.positionMax ~= self.position) {
            violations.add(.invalidPosition, pointer + "/position", "1 to \(ReceiptLimits.positionMax)")
        }
        Self.check(self.sku, ReceiptLimits.textBytesMax, at: pointer + "/sku", &violations)
        self.ean.map { Self.check($0, ReceiptLimits.textBytesMax, at: pointer + "/ean", &violations) }
        self.name.map { Self.check($0, ReceiptLimits.nameBytesMax, at: pointer + "/name", &violations) }
        self.category.map { Self.check($0, ReceiptLimits.textBytesMax, at: pointer + "/category", &violations) }
        self.checkTags(at: pointer + "/tags", &violations)
        let quantity = self.checkedQuantity(at: pointer + "/quantity", &violations)
        let price = Kopecks.checked(self.price, at: pointer + "/price", &violations)
        let discount = Kopecks.checked(self.discount ?? 0, at: pointer + "/discount", &violations)
        let sum = Kopecks.checked(self.sum, at: pointer + "/sum", &violations)
        guard violations.found.count == before, let quantity, let price, let discount, let sum,
            let position = Int32(exactly: self.position)
        else { return nil }
        return ReceiptLine(
            position: position, sku: self.sku, ean: self.ean, name: self.name, category: self.category,
            quantity: quantity, price: price, discount: discount, sum: sum,
            tags: Set(self.tags ?? []).sorted())
    }

    private func checkedQuantity(at pointer: String, _ violations: inout Violations) -> Quantity? {
        guard self.quantity >= 0 else {
            violations.add(.negativeQuantity, pointer, "a quantity is at or above 0, in thousandths")
            return nil
        }
        guard self.quantity <= ReceiptLimits.thousandthsMax else {
            violations.add(.quantityOutOfRange, pointer, "at most \(ReceiptLimits.thousandthsMax) thousandths")
            return nil
        }
        return Quantity(thousandths: self.quantity)
    }

    private func checkTags(at pointer: String, _ violations: inout Violations) {
        guard let tags = self.tags else { return }
        guard tags.count <= ReceiptLimits.tagsMax else {
            violations.add(.invalidTag, pointer, "at most \(ReceiptLimits.tagsMax) tags")
            return
        }
        for (index, tag) in tags.enumerated() {
            let isTag = tag.utf8.allSatisfy { 0x61...0x7A ~= $0 || 0x30...0x39 ~= $0 || $0 == 0x2D }
            if !isTag || !(1...ReceiptLimits.tagBytesMax ~= tag.utf8.count) {
                violations.add(
                    .invalidTag, "\(pointer)/\(index)",
                    "1 to \(ReceiptLimits.tagBytesMax) lower-case letters, digits or hyphens")
            }
        }
    }

    /// Control characters are refused: none belongs on a receipt, and PostgreSQL has no text with a zero byte.
    private static func check(_ text: String, _ bytesMax: Int, at pointer: String, _ violations: inout Violations) {
        let isText = text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
        if !isText || !(1...bytesMax ~= text.utf8.count) {
            violations.add(.invalidText, pointer, "1 to \(bytesMax) bytes without control characters")
        }
    }
}

extension Identifier {
    /// Identifiers of a request in their order, each once, or what is wrong with them.
    fileprivate static func list(
        _ texts: [String]?, at pointer: String, _ violations: inout Violations
    ) -> [Self] {
        let texts = texts ?? []
        guard texts.count <= ReceiptLimits.referencesMax else {
            violations.add(.invalidReference, pointer, "at most \(ReceiptLimits.referencesMax)")
            return []
        }
        var found: Set<Self> = []
        for (index, text) in texts.enumerated() {
            guard let id = Self(text) else {
                violations.add(.invalidReference, "\(pointer)/\(index)", "a UUID of 36 characters")
                continue
            }
            found.insert(id)
        }
        return found.sorted()
    }
}

extension StoreID {
    /// A store of a request, or what is wrong with it.
    static func checked(_ text: String, at pointer: String, _ violations: inout Violations) -> StoreID? {
        let store = StoreID(text)
        if store == nil { violations.add(.invalidStore, pointer, Self.requirement) }
        return store
    }
}

extension Kopecks {
    /// An amount of a request, or what is wrong with it.
    static func checked(_ amount: Int64, at pointer: String, _ violations: inout Violations) -> Kopecks? {
        guard amount >= 0 else {
            violations.add(.negativeAmount, pointer, "an amount is at or above 0, in kopecks")
            return nil
        }
        guard amount <= ReceiptLimits.kopecksMax else {
            violations.add(.amountOutOfRange, pointer, "at most \(ReceiptLimits.kopecksMax) kopecks")
            return nil
        }
        return Kopecks(amount)
    }
}

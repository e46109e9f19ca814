import Kernel

/// Goods that came back as a till writes them: how much of which line of which receipt.
struct ReturnBody: Decodable, Sendable {
    let fiscal: FiscalBody
    /// The triple of the sale.
    let sale: FiscalBody
    let store: String
    let at: String
    let lines: [Line]

    struct Line: Decodable, Sendable {
        let position: Int64
        /// Thousandths.
        let quantity: Int64
    }
}

extension ReturnBody {
    /// - Parameter pointer: where the return stands in its document; empty when it is the document.
    func parsed(at pointer: String = "") throws(Violations) -> TillReturn {
        var violations = Violations()
        let fiscal = self.fiscal.parsed(at: pointer + "/fiscal", &violations)
        let sale = self.sale.parsed(at: pointer + "/sale", &violations)
        if let fiscal, fiscal == sale {
            violations.add(.invalidFiscalID, pointer + "/sale", "a return is not its own sale")
        }
        let store = StoreID.checked(self.store, at: pointer + "/store", &violations)
        let at = Timestamp(self.at)
        if at == nil { violations.add(.invalidTime, pointer + "/at", "ISO 8601 with a zone: 2026-11-23T10:00:00Z") }
        let lines = self.parsedLines(at: pointer + "/lines", &violations)
        guard violations.isEmpty, let fiscal, let sale, let store, let at else { throw violations }
        return TillReturn(fiscal: fiscal, sale: sale, store: store, at: at, lines: lines)
    }

    private func parsedLines(at pointer: String, _ violations: inout Violations) -> [TillReturn.Line] {
        guard 1...ReceiptLimits.linesMax ~= self.lines.count else {
            violations.add(
                self.lines.isEmpty ? .emptyReceipt : .tooManyLines, pointer, "1 to \(ReceiptLimits.linesMax) lines")
            return []
        }
        var positions: Set<Int64> = []
        var lines: [TillReturn.Line] = []
        for (index, line) in self.lines.enumerated() {
            let place = "\(pointer)/\(index)"
            guard 1...ReceiptLimits.positionMax ~= line.position, let position = Int32(exactly: line.position) else {
                violations.add(.invalidPosition, place + "/position", "1 to \(ReceiptLimits.positionMax)")
                continue
            }
            if !positions.insert(line.position).inserted {
                violations.add(.duplicatePosition, place + "/position", "another line has this position")
            }
            guard 0...ReceiptLimits.thousandthsMax ~= line.quantity,
                let quantity = Quantity(thousandths: line.quantity)
            else {
                violations.add(
                    line.quantity < 0 ? .negativeQuantity : .quantityOutOfRange, place + "/quantity",
                    "0 to \(ReceiptLimits.thousandthsMax) thousandths")
                continue
            }
            lines.append(TillReturn.Line(position: position, quantity: quantity))
        }
        return lines.sorted { $0.position < $1.position }
    }
}

/// A return as its till sees it. Nothing of the member is in it.
struct ReturnAnswer: Encodable, Sendable {
    let id: GoodsReturn.ID
    let state: GoodsReturn.State
    /// nil while the sale is unknown.
    let receipt: Receipt.ID?
    let lines: [Line]
    /// What the lines amount to, in kopecks and in points that they earned; nil while the return waits.
    let amount: Kopecks?
    let points: Points?
    /// What the books did; nil before they did it.
    let clawedBack: Points?
    let restored: Points?
    let refusal: String?

    struct Line: Encodable, Sendable {
        let position: Int32
        let quantity: Quantity
        let amount: Kopecks?
        let points: Points?
    }

    private enum CodingKeys: String, CodingKey {
        case id = "return"
        case state, receipt, lines, amount, points, clawedBack, restored, refusal
    }

    init(_ goods: GoodsReturn) {
        (self.id, self.state, self.receipt, self.refusal) = (goods.id, goods.state, goods.receipt, goods.refusal)
        (self.clawedBack, self.restored) = (goods.clawedBack, goods.restored)
        self.lines = zip(goods.goods.lines, goods.shares).map { line, share in
            Line(position: line.position, quantity: line.quantity, amount: share?.amount, points: share?.points)
        }
        let shares = goods.shares.compactMap { $0 }
        let isKnown = shares.count == goods.shares.count
        self.amount = isKnown ? Kopecks(shares.reduce(0) { $0 + $1.amount.amount }) : nil
        self.points = isKnown ? Points(shares.reduce(0) { $0 + $1.points.amount }) : nil
    }
}

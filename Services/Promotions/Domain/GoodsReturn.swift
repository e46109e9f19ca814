import Kernel

/// Goods that a till took back, every value of which has been checked.
struct TillReturn: Hashable, Sendable {
    /// The return's own triple: its natural key.
    let fiscal: FiscalID
    /// The triple of the sale.
    let sale: FiscalID
    let store: StoreID
    /// By the fiscal drive.
    let at: Timestamp
    /// In the order of their positions, which are unique.
    let lines: [Line]

    /// A line of the sale, and how much of it came back.
    struct Line: Hashable, Sendable {
        let position: Int32
        /// 0 for a line that was sold with the quantity 0, which comes back whole.
        let quantity: Quantity
    }
}

/// A return from its delivery to its end in the books.
struct GoodsReturn: Hashable, Sendable {
    /// `waiting` → `posting` → `done`; `refused` is an end.
    enum State: String, Hashable, Sendable, Codable {
        /// For its sale, or for the sale's place in the books.
        case waiting
        /// The books have been asked.
        case posting
        case done
        case refused
    }

    /// Also the natural key in the books.
    let id: ID
    let goods: TillReturn
    let till: String
    let fingerprint: [UInt8]
    var state: State
    var receipt: Receipt.ID?
    /// Why it was refused: a ``ReturnRefusal/code``, or what the books say.
    var refusal: String?
    var clawedBack: Points?
    var restored: Points?
    /// One for each line; nil while it waits.
    var shares: [Share?]

    typealias ID = Identifier<GoodsReturn>

    /// What of a sold line came back.
    struct Share: Hashable, Sendable {
        let amount: Kopecks
        let points: Points
    }
}

/// Why goods cannot come back.
enum ReturnRefusal: Error, Hashable, Sendable {
    /// The receipt has no such line.
    case unknownLine(Int32)
    /// More than is left of the line.
    case exceedsLine(Int32)
    /// Not even one piece of it.
    case nothing(Int32)
    /// Its sale was not delivered within the time in which receipts are taken.
    case unknownSale
    /// The same triple was used for something else.
    case fiscalConflict
    case foreignStore
    case unknownStore
    case fromTheFuture
    case tooOld

    var code: String {
        switch self {
        case .unknownLine: "unknown-line"
        case .exceedsLine: "return-exceeds-line"
        case .nothing: "nothing-returned"
        case .unknownSale: "unknown-sale"
        case .fiscalConflict: "fiscal-conflict"
        case .foreignStore: "foreign-store"
        case .unknownStore: "unknown-store"
        case .fromTheFuture: "receipt-from-the-future"
        case .tooOld: "receipt-too-old"
        }
    }
}

/// A line of a receipt as it was sold, and what of it has come back so far.
struct SoldLine: Hashable, Sendable {
    let position: Int32
    let quantity: Int64
    /// Kopecks.
    let amount: Int64
    /// What it earned by the ruleset of its sale, which is pinned by being kept here.
    let points: Int64
    var returnedQuantity: Int64 = 0
    var returnedAmount: Int64 = 0
    var returnedPoints: Int64 = 0
    var returns: Int64 = 0

    /// The share of a quantity: the difference of two running totals, so that any parts of a line sum to the whole of
    /// it. The books compute the points in the same way.
    func share(of wanted: Quantity) throws(ReturnRefusal) -> GoodsReturn.Share {
        if self.quantity == 0 {
            guard wanted.thousandths == 0 else { throw .exceedsLine(self.position) }
            // A line without a quantity has one piece: itself.
            guard self.returns == 0 else { throw .exceedsLine(self.position) }
            return Self.share(amount: self.amount, points: self.points)
        }
        guard wanted.thousandths > 0 else { throw .nothing(self.position) }
        let (sum, overflow) = self.returnedQuantity.addingReportingOverflow(wanted.thousandths)
        guard !overflow, sum <= self.quantity else { throw .exceedsLine(self.position) }
        let amount = Self.part(of: self.amount, sum, self.quantity)
        let points = self.amount == 0 ? 0 : Self.part(of: self.points, amount, self.amount)
        return Self.share(amount: amount - self.returnedAmount, points: points - self.returnedPoints)
    }

    /// `whole` × `part` / `of`, rounded down; `part` is at most `of`, so that it fits.
    private static func part(of whole: Int64, _ part: Int64, _ of: Int64) -> Int64 {
        of.dividingFullWidth(whole.multipliedFullWidth(by: part)).quotient
    }

    private static func share(amount: Int64, points: Int64) -> GoodsReturn.Share {
        GoodsReturn.Share(amount: Kopecks(amount) ?? .zero, points: Points(points) ?? .zero)
    }
}

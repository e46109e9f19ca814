import Kernel

/// A receipt of a till, every value of which has been checked.
struct TillReceipt: Hashable, Sendable {
    /// The natural key: one sale of one fiscal drive.
    let fiscal: FiscalID
    let sale: Sale
    /// The payments with points that paid a part of it, sorted.
    var authorisations: [Hold.ID] = []
    /// An online order's points wait until then, when it has been delivered.
    var maturesAt: Timestamp?
}

/// What was bought, where and when, and by whom: what the rules are applied to.
struct Sale: Hashable, Sendable {
    let store: StoreID
    /// When the sale happened, by the fiscal drive's clock.
    let at: Timestamp
    let card: CardNumber
    /// In the order of their positions, which are unique.
    let lines: [ReceiptLine]
    /// What the customer paid: the sum of the lines.
    let total: Kopecks
    /// Coupons that were taken at the till for this sale, sorted.
    var coupons: [Coupon.ID] = []
}

/// One line of a receipt.
struct ReceiptLine: Hashable, Sendable {
    /// The line's number on the receipt, from 1.
    let position: Int32
    let sku: String
    var ean: String?
    var name: String?
    var category: String?
    /// 0 is real: tills send lines of quantity 0.
    let quantity: Quantity
    let price: Kopecks
    let discount: Kopecks
    /// What the customer paid for the line, the discount already taken off.
    let sum: Kopecks
    /// What the rules look at: `alcohol`, `tobacco`, `gift-card`, … Sorted, without repetition.
    var tags: [String] = []
}

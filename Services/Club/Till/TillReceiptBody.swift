import Kernel

/// A receipt as tills send it to `POST /pos/v1/receipts`. Money in kopecks, quantities in thousandths.
struct TillReceiptBody: Encodable, Sendable {
    struct Line: Encodable, Sendable {
        var position: Int
        var sku: String
        var name: String?
        var category: String?
        var quantity: Int64
        var price: Int64
        var discount: Int64
        var sum: Int64
    }

    var fiscal: FiscalID
    var store: StoreID
    var at: Timestamp
    var card: CardNumber
    var lines: [Line]
    var total: Int64
}

extension TillReceiptBody {
    /// A basket of the grocery data as a till would send it; nil when a number does not fit.
    ///
    /// - Parameters:
    ///   - rate: kopecks for a cent.
    ///   - products: what is known of the products, by number.
    init?(_ receipt: GroceryReceipt, card: CardNumber, rate: Int64, products: [Int64: GroceryProduct]) {
        guard let fiscal = receipt.fiscal, let store = receipt.storeID, let total = receipt.kopecks(rate: rate) else {
            return nil
        }
        var lines: [Line] = []
        lines.reserveCapacity(receipt.lines.count)
        for (index, line) in receipt.lines.enumerated() {
            let product = products[line.product]
            let (thousandths, tooMany) = line.quantity.multipliedReportingOverflow(by: 1000)
            let (discount, tooLarge) = line.discountCents.multipliedReportingOverflow(by: rate)
            guard let sum = line.kopecks(rate: rate), !tooMany, !tooLarge else { return nil }
            lines.append(
                Line(
                    position: index + 1, sku: GroceryProduct.sku(line.product), name: product?.title,
                    category: product?.categoryCode, quantity: thousandths,
                    price: (sum + discount) / max(1, line.quantity), discount: discount, sum: sum))
        }
        self.init(fiscal: fiscal, store: store, at: receipt.at, card: card, lines: lines, total: total)
    }
}

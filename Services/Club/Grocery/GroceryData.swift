import Kernel

/// The Complete Journey's files in a folder: what `club replay grocery` reads.
struct GroceryData: Sendable {
    /// Which receipts are wanted.
    struct Selection: Sendable {
        /// Households by number; nil for all.
        var households: ClosedRange<Int64>?
        /// The first moment.
        var from: Timestamp?
        /// The moment after the last.
        var to: Timestamp?

        /// Whether a line of the file may be wanted: its first field is the household. Most lines of the data are let go
        /// by this look alone.
        func mayInclude(line: ArraySlice<UInt8>) -> Bool {
            guard let households, let household = DecimalText.whole(line.prefix { $0 != UInt8(ascii: ",") }) else {
                return true
            }
            return households.contains(household)
        }

        func includes(household: Int64, at moment: Timestamp) -> Bool {
            if let households, !households.contains(household) { return false }
            if let from, moment < from { return false }
            if let to, moment >= to { return false }
            return true
        }
    }

    let folder: String

    private static let transactionColumns = [
        "household_id", "store_id", "basket_id", "product_id", "quantity", "sales_value", "retail_disc", "coupon_disc",
        "coupon_match_disc", "transaction_timestamp",
    ]

    private static let productColumns = [
        "product_id", "manufacturer_id", "department", "brand", "product_category", "product_type", "package_size",
    ]

    /// The selected receipts in the order in which they were begun.
    func receipts(_ selection: Selection) async throws -> [GroceryReceipt] {
        let file = GzipLines(path: "\(self.folder)/transactions.csv.gz")
        var receipts: [GroceryReceipt] = []
        var positions: [Int64: Int] = [:]
        var number = 1
        try await file.forEach(header: Self.transactionColumns) { line in
            number += 1
            guard selection.mayInclude(line: line) else { return }
            guard let row = Self.transaction(CSVRow(line)) else {
                throw CommandFailure(.dataError, "\(file.path), line \(number): not a line of a receipt.")
            }
            guard selection.includes(household: row.receipt.household, at: row.receipt.at) else { return }
            if let position = positions[row.receipt.basket] {
                receipts[position].lines.append(row.line)
            } else {
                positions[row.receipt.basket] = receipts.count
                receipts.append(row.receipt)
                receipts[receipts.count - 1].lines.append(row.line)
            }
        }
        return receipts
    }

    /// All products, in the file's order.
    func products() async throws -> [GroceryProduct] {
        let file = GzipLines(path: "\(self.folder)/products.csv.gz")
        var products: [GroceryProduct] = []
        try await file.forEach(header: Self.productColumns) { line in
            let row = CSVRow(line)
            guard row.fields.count == Self.productColumns.count, let id = DecimalText.whole(row.fields[0]) else {
                throw CommandFailure(.dataError, "\(file.path), line \(products.count + 2): not a product.")
            }
            products.append(
                GroceryProduct(
                    id: id, department: row.text(2), category: row.text(4), type: row.text(5), size: row.text(6)))
        }
        return products
    }

    private static func transaction(_ row: CSVRow) -> (receipt: GroceryReceipt, line: GroceryLine)? {
        let fields = row.fields
        guard fields.count == Self.transactionColumns.count,
            let household = DecimalText.whole(fields[0]), let store = DecimalText.whole(fields[1]),
            let basket = DecimalText.whole(fields[2]), let product = DecimalText.whole(fields[3]),
            let quantity = DecimalText.whole(fields[4]), let cents = DecimalText.hundredths(fields[5]), cents >= 0,
            let discount = DecimalText.hundredths(fields[6]), let at = Timestamp(row.text(9) + "Z")
        else { return nil }
        return (
            GroceryReceipt(household: household, store: store, basket: basket, at: at),
            GroceryLine(product: product, quantity: quantity, cents: cents, discountCents: max(0, discount))
        )
    }
}

/// A product of the grocery data.
struct GroceryProduct: Sendable, Equatable {
    let id: Int64
    let department: String
    let category: String
    let type: String
    let size: String

    /// What the programme calls the product of that number.
    static func sku(_ number: Int64) -> String { "grocery-\(number)" }

    /// What a receipt line calls its category. The prefix keeps the American departments apart from the programme's
    /// own categories, so that none of them is an excluded one.
    var categoryCode: String { Self.categoryCode(department: self.department) }

    /// The name for people: the most exact that the data have.
    var title: String {
        let name = self.type.isEmpty ? (self.category.isEmpty ? self.department : self.category) : self.type
        return self.size.isEmpty ? name : "\(name), \(self.size)"
    }

    static func categoryCode(department: String) -> String {
        var code = "grocery"
        var isInWord = false
        for byte in department.utf8 {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                if !isInWord { code += "-" }
                isInWord = true
                code.unicodeScalars.append(Unicode.Scalar(byte | 0x20))
            default: isInWord = false
            }
        }
        return code
    }
}

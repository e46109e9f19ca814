import Kernel

/// A basket of the grocery data: one receipt of one household.
struct GroceryReceipt: Sendable, Equatable {
    let household: Int64
    let store: Int64
    let basket: Int64
    let at: Timestamp
    var lines: [GroceryLine] = []

    /// What the household paid, in kopecks, when one cent is worth `rate` kopecks; nil when it does not fit.
    func kopecks(rate: Int64) -> Int64? {
        var sum: Int64 = 0
        for line in self.lines {
            guard let kopecks = line.kopecks(rate: rate) else { return nil }
            let (total, overflow) = sum.addingReportingOverflow(kopecks)
            guard !overflow else { return nil }
            sum = total
        }
        return sum
    }

    /// A fiscal triple that names the basket, and no other basket, however often and wherever it is computed.
    ///
    /// The basket's number outgrows the ten digits of a document number, so what does not fit stands in the drive's
    /// number, after the store's. The sign is the FNV-1a hash of both: with it a triple that was put together by hand
    /// is as unlikely to match as with a real drive.
    var fiscal: FiscalID? {
        let documents: Int64 = 9_999_999_999
        guard self.basket >= 1, 0...99_999_999 ~= self.store else { return nil }
        let (drive, document) = (self.basket - 1).quotientAndRemainder(dividingBy: documents)
        guard drive <= 999_999 else { return nil }
        return FiscalID(
            fn: "99" + Self.padded(self.store, to: 8) + Self.padded(drive, to: 6), fd: document + 1,
            fpd: Self.sign("\(self.store):\(self.basket)"))
    }

    /// What the programme calls the store.
    var storeID: StoreID? { StoreID("grocery-\(self.store)") }

    private static func padded(_ number: Int64, to width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }

    /// FNV-1a, 32 bits.
    private static func sign(_ text: String) -> Int64 {
        Int64(text.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 })
    }
}

/// A line of a basket.
struct GroceryLine: Sendable, Equatable {
    let product: Int64
    /// Pieces, or a weight in the data's own unit; 0 is real.
    let quantity: Int64
    /// What was paid for the line, in cents.
    let cents: Int64
    /// The shop's own discount that is already taken off, in cents.
    let discountCents: Int64

    /// What was paid, in kopecks; nil when it does not fit.
    func kopecks(rate: Int64) -> Int64? {
        let (kopecks, overflow) = self.cents.multipliedReportingOverflow(by: rate)
        return overflow ? nil : kopecks
    }
}

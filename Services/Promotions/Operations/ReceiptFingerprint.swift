import Crypto
import Kernel

extension TillReceipt {
    /// What tells a repetition from a contradiction: SHA-256 over the receipt's checked values, so that neither white
    /// space nor the order of keys in the till's JSON matters.
    ///
    /// The card is part of it: the same sale presented with another card is a contradiction, not a repetition. Each
    /// text is preceded by its length, so that no two receipts have the same bytes.
    var fingerprint: [UInt8] {
        var bytes = FingerprintBytes()
        bytes.add(self.fiscal.description)
        bytes.add(self.sale.store.text)
        bytes.add(self.sale.at.microseconds)
        bytes.add(self.sale.card.digits)
        bytes.add(self.sale.total.amount)
        bytes.add(Int64(self.sale.lines.count))
        for line in self.sale.lines { bytes.add(line) }
        // Only where there is something: receipts without these have the digest that they always had.
        if !self.authorisations.isEmpty || !self.sale.coupons.isEmpty || self.maturesAt != nil {
            bytes.add(Int64(self.authorisations.count))
            for id in self.authorisations { bytes.add(id.description) }
            bytes.add(Int64(self.sale.coupons.count))
            for id in self.sale.coupons { bytes.add(id.description) }
            bytes.add(self.maturesAt?.microseconds ?? 0)
        }
        return bytes.digest
    }
}

extension TillReturn {
    /// As of a receipt.
    var fingerprint: [UInt8] {
        var bytes = FingerprintBytes()
        bytes.add("return")
        bytes.add(self.fiscal.description)
        bytes.add(self.sale.description)
        bytes.add(self.store.text)
        bytes.add(self.at.microseconds)
        bytes.add(Int64(self.lines.count))
        for line in self.lines {
            bytes.add(Int64(line.position))
            bytes.add(line.quantity.thousandths)
        }
        return bytes.digest
    }
}

/// Canonical bytes and their digest.
struct FingerprintBytes {
    private var bytes: [UInt8] = []

    mutating func add(_ number: Int64) {
        withUnsafeBytes(of: number.bigEndian) { self.bytes.append(contentsOf: $0) }
    }

    mutating func add(_ text: String?) {
        guard let text else { return self.add(-1) }
        self.add(Int64(text.utf8.count))
        self.bytes.append(contentsOf: text.utf8)
    }

    mutating func add(_ line: ReceiptLine) {
        self.add(Int64(line.position))
        self.add(line.sku)
        self.add(line.ean)
        self.add(line.name)
        self.add(line.category)
        self.add(line.quantity.thousandths)
        self.add(line.price.amount)
        self.add(line.discount.amount)
        self.add(line.sum.amount)
        self.add(Int64(line.tags.count))
        for tag in line.tags { self.add(tag) }
    }

    var digest: [UInt8] { Array(SHA256.hash(data: self.bytes)) }
}

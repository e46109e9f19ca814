import Kernel

/// A receipt of two lines as a till writes it, 220 roubles, worth 22 points; a test says what is different.
struct ReceiptJSON {
    var fiscalDocument: Int64 = 4711
    var store = "1"
    var at = "2026-11-23T12:00:00+03:00"
    var card = TillWorld.card.digits
    var lines = """
        [{"position": 1, "sku": "a", "quantity": 1000, "price": 12345, "sum": 12345, "tags": ["alcohol"]},
        {"position": 2, "sku": "b", "quantity": 500, "price": 20000, "discount": 345, "sum": 9655}]
        """
    var total: Int64 = 22_000

    var text: String {
        """
        {"fiscal": {"fn": "9999078900000001", "fd": \(self.fiscalDocument), "fpd": 1234567890}, \
        "store": "\(self.store)", "at": "\(self.at)", "card": "\(self.card)", "lines": \(self.lines), "total": \(self.total)}
        """
    }

    static let text = ReceiptJSON().text

    /// The receipt with one text replaced by another.
    static func replacing(_ old: String, _ new: String) -> String {
        Self.text.replacing(old, with: new, maxReplacements: 1)
    }
}

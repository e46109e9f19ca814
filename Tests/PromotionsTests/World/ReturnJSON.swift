import Kernel

@testable import Promotions

/// A return as a till writes it.
struct ReturnJSON {
    var document: Int64 = 9001
    var sale: Int64 = 4711
    var store = "1"
    var lines: [(position: Int32, quantity: Int64)] = [(2, 500)]

    var text: String {
        let lines = self.lines.map { "{\"position\": \($0.position), \"quantity\": \($0.quantity)}" }.joined(
            separator: ", ")
        return """
            {"fiscal": {"fn": "9999078900000001", "fd": \(self.document), "fpd": 7}, \
            "sale": {"fn": "9999078900000001", "fd": \(self.sale), "fpd": 1234567890}, \
            "store": "\(self.store)", "at": "2026-11-23T12:00:00+03:00", "lines": [\(lines)]}
            """
    }
}

struct ReturnSeen: Decodable, Hashable {
    let `return`: GoodsReturn.ID
    let state: String
    let receipt: Receipt.ID?
    let amount: Int64?
    let points: Int64?
    let clawedBack: Int64?
    let restored: Int64?
    let refusal: String?
}

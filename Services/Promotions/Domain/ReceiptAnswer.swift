import Kernel

/// What a till is told about a receipt that was accepted. Nothing of the member is in it. Stored with the receipt, so
/// that a repetition is answered with the same words.
struct ReceiptAnswer: Hashable, Sendable, Codable {
    let receipt: Receipt.ID
    let points: Points
    let lines: [LineResult]
    /// The number of the ruleset that the receipt was judged by.
    let ruleset: Int64
    /// nil when there are none.
    var stickers: [StickerGift]?
    var coupons: [CouponGift]?

    init(receipt: Receipt.ID, _ evaluation: Evaluation) {
        self.receipt = receipt
        self.points = evaluation.points
        self.lines = evaluation.lines
        self.ruleset = evaluation.ruleset
        self.stickers = evaluation.stickers.isEmpty ? nil : evaluation.stickers
        self.coupons = evaluation.coupons.isEmpty ? nil : evaluation.coupons
    }
}

/// A receipt that has been judged and waits to be stored.
struct JudgedReceipt: Sendable {
    let id: Receipt.ID
    let receipt: TillReceipt
    let member: Member.ID
    var evaluation: Evaluation
    /// What the evaluation went by.
    var facts: MemberFacts
    let fingerprint: [UInt8]
    /// The key of the till that delivered it.
    let till: String
    let acceptedAt: Timestamp

    var answer: ReceiptAnswer { ReceiptAnswer(receipt: self.id, self.evaluation) }
}

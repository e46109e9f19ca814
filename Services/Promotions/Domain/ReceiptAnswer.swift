import Kernel

/// What a till is told about a receipt that was accepted. Nothing of the member is in it. Stored with the receipt, so
/// that a repetition is answered with the same words.
struct ReceiptAnswer: Hashable, Sendable, Codable {
    let receipt: Receipt.ID
    let points: Points
    let lines: [LineResult]
    /// The number of the ruleset that the receipt was judged by.
    let ruleset: Int64

    init(receipt: Receipt.ID, _ evaluation: Evaluation) {
        self.receipt = receipt
        self.points = evaluation.points
        self.lines = evaluation.lines
        self.ruleset = evaluation.ruleset
    }
}

/// A receipt that has been judged and waits to be stored.
struct JudgedReceipt: Sendable {
    let id: Receipt.ID
    let receipt: TillReceipt
    let member: Member.ID
    let evaluation: Evaluation
    let fingerprint: [UInt8]
    /// The key of the till that delivered it.
    let till: String
    let acceptedAt: Timestamp

    var answer: ReceiptAnswer { ReceiptAnswer(receipt: self.id, self.evaluation) }
}

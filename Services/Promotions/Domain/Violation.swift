/// What a value of a request breaks: a stable code, and where in the document it stands.
struct Violation: Hashable, Sendable {
    enum Code: String, Hashable, Sendable, CaseIterable {
        case amountOutOfRange = "amount-out-of-range"
        case duplicatePosition = "duplicate-position"
        case emptyReceipt = "empty-receipt"
        case invalidCard = "invalid-card"
        case invalidFiscalID = "invalid-fiscal-id"
        case invalidKey = "invalid-key"
        case invalidOperation = "invalid-operation"
        case invalidPoints = "invalid-points"
        case invalidPosition = "invalid-position"
        case invalidReference = "invalid-reference"
        case invalidStore = "invalid-store"
        case invalidTag = "invalid-tag"
        case invalidText = "invalid-text"
        case invalidTime = "invalid-time"
        case keyReused = "idempotency-key-reused"
        case negativeAmount = "negative-amount"
        case negativeQuantity = "negative-quantity"
        case quantityOutOfRange = "quantity-out-of-range"
        case tooManyLines = "too-many-lines"
        case tooManyOperations = "too-many-operations"
        case totalMismatch = "total-mismatch"
        case unknownCard = "unknown-card"
    }

    let code: Code
    /// RFC 6901: `/lines/3/quantity`.
    let pointer: String
    let detail: String
}

/// The violations of one document, the first ones of very many; never empty when thrown.
struct Violations: Error, Hashable, Sendable {
    /// A receipt of 2,000 wrong lines is told about this many.
    static let reportedMax = 20

    private(set) var found: [Violation]

    init() {
        self.found = []
    }

    /// One thing is wrong.
    init(_ code: Violation.Code, _ pointer: String, _ detail: String) {
        self.found = [Violation(code: code, pointer: pointer, detail: detail)]
    }

    var isEmpty: Bool { self.found.isEmpty }

    mutating func add(_ code: Violation.Code, _ pointer: String, _ detail: String) {
        guard self.found.count < Self.reportedMax else { return }
        self.found.append(Violation(code: code, pointer: pointer, detail: detail))
    }
}

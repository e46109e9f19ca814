internal import Contracts
internal import FoundationEssentials
internal import Kernel
internal import Postgres

/// What became of one receipt of a batch.
enum PostingOutcome: Hashable, Sendable {
    /// Posted now: `credited` for the balance, `repaid` for the debt, `waiting` until they mature.
    case posted(LedgerTransaction.ID, at: Timestamp, credited: Points, repaid: Points, waiting: Points = .zero)
    /// It was in the books already, the same.
    case replayed(LedgerTransaction.ID)
    /// Its id or its fiscal triple belongs to a receipt with other content, posted by this transaction.
    case refused(standing: LedgerTransaction.ID)
}

/// Posts receipts. The statement is a function of the schema, which alone may write the books.
struct ReceiptStore: Sendable {
    /// Posts all of them in one statement.
    /// - Returns: an outcome for each receipt, in their order.
    func post(
        _ receipts: [PostReceipt], at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> [PostingOutcome] {
        let accruals = AccrualColumns(receipts)
        let rows = try await transaction.query(
            """
            select ordinal, outcome, transaction_id, recorded_at, credited, repaid, waiting
            from ledger.post_receipts(
                \(now), \(receipts.map(\.receipt)), \(receipts.map(\.member)), \(receipts.map(\.fiscal.drive)),
                \(receipts.map(\.fiscal.fd)), \(receipts.map(\.fiscal.fpd)), \(receipts.map(\.store)),
                \(receipts.map(\.total)), \(receipts.map(\.effectiveAt)), \(receipts.map(\.ruleset)),
                \(accruals.receipts), \(accruals.classes), \(accruals.points), \(accruals.rules), \(accruals.matures))
            order by ordinal
            """)
        guard rows.count == receipts.count else {
            throw UnexpectedAnswer.count(rows.count, expected: receipts.count)
        }
        return try rows.map(Self.outcome)
    }

    private static func outcome(_ row: Row) throws -> PostingOutcome {
        let id: LedgerTransaction.ID = try row.value("transaction_id")
        switch try row.value("outcome", as: String.self) {
        case "posted":
            return .posted(
                id, at: try row.value("recorded_at"), credited: try row.value("credited"),
                repaid: try row.value("repaid"), waiting: try row.value("waiting"))
        case "replayed": return .replayed(id)
        default: return .refused(standing: id)
        }
    }
}

/// The accruals of a batch, flat: each says by number which receipt it belongs to.
private struct AccrualColumns {
    var receipts: [Int32] = []
    var classes: [String] = []
    var points: [Points] = []
    var rules: [String] = []
    var matures: [Timestamp?] = []

    init(_ batch: [PostReceipt]) {
        for (number, receipt) in batch.enumerated() {
            for accrual in receipt.accruals {
                self.receipts.append(Int32(number + 1))
                self.classes.append(accrual.lotClass.rawValue)
                self.points.append(accrual.points)
                self.rules.append(accrual.rule)
                self.matures.append(accrual.maturesAt)
            }
        }
    }
}

extension FiscalID {
    /// The fiscal drive's 16 digits as a number.
    fileprivate var drive: Int64 {
        self.fn.utf8.reduce(0) { $0 * 10 + Int64($1 - 0x30) }
    }
}

/// The schema's functions answered what this code does not know: it runs beside a schema of another version.
enum UnexpectedAnswer: Error {
    case count(Int, expected: Int)
    case refusal(String)
}

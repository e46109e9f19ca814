import Contracts
import Kernel

/// What a fund is paid for one month.
struct Batch: Hashable, Sendable {
    /// Identifies a batch.
    typealias ID = Identifier<Batch>

    /// `prepared → submitted → approved → paid → acknowledged`; `differs` when the ledger has paid another sum than
    /// the file says, which a person must explain.
    enum State: String, Hashable, Sendable, CaseIterable {
        case prepared, submitted, approved, paid, differs, acknowledged
    }

    let id: ID
    let fund: String
    /// The first day of the month.
    let month: CivilDate
    let until: Timestamp
    let donations: Int64
    let points: Points
    let worth: Kopecks
    let match: Kopecks
    let fileHash: [UInt8]
    let signature: [UInt8]
    let key: SettlementPublicKey
    let state: State
    let transfer: LedgerTransfer.ID
    let maker: Staff.ID?
    let checker: Staff.ID?
    let paid: Kopecks?
    let refusal: String?
    let acknowledgement: String?
    let preparedAt: Timestamp
    let paidAt: Timestamp?
    let acknowledgedAt: Timestamp?

    /// What the fund gets.
    var total: Kopecks { self.worth.adding(self.match) ?? .zero }
}

/// A line of a batch's file.
struct BatchLine: Hashable, Sendable {
    let donation: Donation.ID
    let bookedAt: Timestamp
    let points: Points
    let worth: Kopecks
    let match: Kopecks
}

/// The list that a fund gets with its money: every donation by its number, which only its donor knows, and the sums.
/// A donor finds the own number in it and adds up the rest.
struct SettlementFile: Hashable, Sendable {
    let batch: Batch.ID
    let fund: Fund
    let month: CivilDate
    let lines: [BatchLine]

    /// The bytes that are signed.
    var bytes: [UInt8] { Array(self.text.utf8) }

    /// CSV with a head of facts. Numbers are whole: points and kopecks.
    private var text: String {
        let (points, worth, match) = self.sums
        var text = """
            # settlement \(self.batch)
            # fund \(self.fund.id)
            # month \(Self.text(of: self.month))
            # donations \(self.lines.count)
            # points \(points)
            # donated \(worth)
            # matched \(match)
            donation,booked_at,points,donated_kopecks,matched_kopecks

            """
        for line in self.lines {
            text += "\(line.donation),\(line.bookedAt),\(line.points),\(line.worth),\(line.match)\n"
        }
        return text
    }

    /// Points, kopecks of members, kopecks of the shop.
    var sums: (points: Int64, worth: Int64, match: Int64) {
        self.lines.reduce((0, 0, 0)) { ($0.0 + $1.points.amount, $0.1 + $1.worth.amount, $0.2 + $1.match.amount) }
    }

    /// `2026-11`
    static func text(of month: CivilDate) -> String { "\(month.year)-\(month.month < 10 ? "0" : "")\(month.month)" }
}

/// Why a batch does not go on.
enum BatchRefusal: Error, Hashable, Sendable {
    case unknownBatch
    case unknownFund
    /// The month is not over, or its last minutes may still be on their way.
    case monthNotOver
    /// There is nothing to pay.
    case nothingToPay
    /// It is not where this could be done.
    case wrongState(Batch.State)
    /// Who has submitted it cannot approve it.
    case samePerson
    /// The ledger has not answered yet; it goes on by itself.
    case undecided
}

import Contracts
import Kernel

/// One message of a ticket's thread.
struct ThreadMessage: Hashable, Sendable {
    /// Given when it is written.
    typealias ID = Identifier<ThreadMessage>

    let id: ID
    let author: Author
    /// For colleagues only.
    var isNote = false
    var staff: Staff.ID?
    let body: String
    /// For colleagues only.
    var evidence: ReceiptEvidence?
    /// The name of the letter that brought it or carried it away.
    var letter: String?
    let createdAt: Timestamp

    /// Who writes.
    enum Author: String, Codable, Hashable, Sendable { case customer, staff, system }

    /// Whether the customer may see it.
    var isPublic: Bool { !self.isNote }
}

/// What promotions has told about a receipt.
struct ReceiptEvidence: Codable, Hashable, Sendable {
    let finding: ExplainReceipt.Finding
    let receipt: Receipt.ID?
    let points: Points?
    let isPosted: Bool
    let reasons: [String]
    let askedAt: Timestamp

    init(_ reply: ExplainReceipt.Reply, askedAt: Timestamp) {
        (self.finding, self.receipt, self.points) = (reply.finding, reply.receipt, reply.points)
        (self.isPosted, self.reasons, self.askedAt) = (reply.isPosted, reply.reasons, askedAt)
    }
}

/// A photo without its bytes.
struct PhotoRecord: Hashable, Sendable {
    let id: Photo.ID
    let contentType: String
    let width: Int32
    let height: Int32
    let createdAt: Timestamp
}

/// A correction of a member's points that a ticket needs.
struct Correction: Hashable, Sendable {
    /// Also the natural key of the request in the ledger.
    typealias ID = LedgerTransfer.ID

    let id: ID
    let ticket: Ticket.ID
    let member: Member.ID
    var points: Int64
    var reason: String
    var state: State
    var maker: Staff.ID?
    var checker: Staff.ID?
    var approves: Bool?
    /// The natural key of the decision in the ledger.
    var decision: LedgerTransfer.ID?
    /// Why the ledger refused.
    var refusal: String?
    let createdAt: Timestamp

    /// How far it is. The attempt is written down before the ledger is asked, so that asking again asks the same.
    enum State: String, Codable, Hashable, Sendable, CaseIterable {
        /// Proposed by the system; nobody has asked for it.
        case draft
        /// Somebody asks the ledger for it.
        case requesting
        /// It waits for somebody else.
        case requested
        /// Somebody else tells the ledger the decision.
        case deciding
        case approved, rejected
        /// The ledger would not have it.
        case refused
    }

    static let pointsMax: Int64 = 1_000_000
}

/// Why nothing becomes of a correction.
enum CorrectionRefusal: Error, Hashable, Sendable {
    case unknown
    /// Whoever asks for points cannot grant them.
    case samePerson
    /// Another one of the ticket is not decided yet.
    case alreadyOpen
    case wrongState(Correction.State)
    /// The ledger has not answered yet: ask again.
    case undecided
}

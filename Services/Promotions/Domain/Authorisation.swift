import Kernel

/// A payment with points at a till, from the attempt to its end. Its id is the id of the hold in the ledger.
struct Authorisation: Hashable, Sendable {
    /// `placing` → `placed` → `capturing` → `captured`, or `voiding` → `voided`; `refused` and `lapsed` are ends.
    /// The steps in -ing are written before the ledger is asked, so that whoever repeats the request can go on.
    enum State: String, Hashable, Sendable {
        case placing
        case refused
        case placed
        case capturing
        case captured
        case voiding
        case voided
        /// The hold ran out before it was captured.
        case lapsed
    }

    let id: Hold.ID
    let member: Member.ID
    let store: StoreID
    /// The key of the till that asked, and the key under which it asked.
    let till: String
    let idempotencyKey: IdempotencyKey
    /// SHA-256 of the request: the same key with another request is a mistake of the till.
    let fingerprint: [UInt8]
    /// The id of the card token; each authorises once.
    let token: String
    let points: Points
    let total: Kopecks
    var state: State
    /// Why the ledger refused, in its words.
    var refusal: String?
    /// How many points the member had, where they were too few.
    var available: Points?
    var captured: Points?
    /// When the ledger gives the points back unless they were captured.
    var expiresAt: Timestamp?
}

/// Why a payment with points is refused.
enum SpendingRefusal: Error, Hashable, Sendable {
    /// The token is not one of ours, has run out, or is of another kind.
    case invalidToken
    /// The token has authorised a payment already.
    case tokenUsed
    /// The member has locked spending, or is not active yet.
    case locked
    case unknownStore
    case foreignStore
    /// More than the rules let be paid with points.
    case overLimit(limit: Points)
    case insufficientPoints(available: Points)
    /// The ledger refused for another reason, in its words.
    case refused(code: String)
    /// The same Idempotency-Key was used for another request.
    case keyReused
    /// The ledger has not answered yet. The till repeats the request with the same key.
    case undecided
    /// No such authorisation, or one of another store's till.
    case unknownAuthorisation
    /// It is captured, voided or refused already.
    case alreadyEnded(Authorisation.State)
    /// More points than were authorised.
    case overAuthorised(Points)
}

import Kernel

/// Money for a partner's settled exchanges.
struct Payout: Hashable, Sendable {
    typealias ID = Identifier<Payout>

    let id: ID
    let partner: String
    /// What began before this moment is paid.
    let until: Timestamp
    let draftedBy: Staff.ID
    var approvedBy: Staff.ID?
    /// What the ledger has paid.
    var points: Points?
    var kopecks: Kopecks?
    /// Why the ledger has not.
    var refusal: String?
}

import Kernel
import Postgres

/// What a colleague wants changed about a partner, or has changed: the audit of all of it.
struct PartnerChange: Hashable, Sendable {
    typealias ID = Identifier<PartnerChange>

    enum Kind: String, Codable, Hashable, Sendable, CaseIterable {
        case addOffer = "add-offer"
        case changeOffer = "change-offer"
        case setAddress = "set-address"
        // These take something away, or change no money: one person does them alone.
        case pauseOffer = "pause-offer"
        case endOffer = "end-offer"
        case changePartner = "change-partner"
    }

    enum State: String, Codable, Hashable, Sendable, CaseIterable {
        /// Waits for another colleague.
        case pending
        case approved, rejected
        /// One person was enough.
        case done
    }

    /// What is wanted: the one that the kind has.
    struct Wanted: Codable, Hashable, Sendable {
        var new: NewOffer?
        var change: OfferChange?
        var address: String?
        /// Of a partner: that it has another secret now, and whether it is active.
        var hasNewSecret: Bool?
        var isActive: Bool?
    }

    let id: ID
    let kind: Kind
    let partner: String
    let offer: String?
    let wanted: Wanted
    /// How the offer stood when it was decided about; nil before, and where there was none.
    var before: OfferTerms?
    let reason: String
    var state: State
    let madeBy: Staff.ID
    let madeAt: Timestamp
    var decidedBy: Staff.ID?
    var decidedAt: Timestamp?
    var comment: String?
}

extension PartnerChange.Kind: PostgresWrapper {}
extension PartnerChange.State: PostgresWrapper {}

import Kernel

/// A question to support and how it stands.
struct SupportTicket: Hashable, Sendable {
    let id: Ticket.ID
    /// What people call it.
    var number: Int64
    /// Nil when the asker did not log in.
    let member: Member.ID?
    /// Where answers go; nil: the ways that auth knows of the member.
    var email: EmailAddress?
    let source: Source
    let reason: Reason
    var subject: String
    let language: Language
    let links: Links
    var state: TicketState
    var assignee: Staff.ID?
    var team: Reason.Team
    var tags: [String] = []
    /// 0, 1: the first answer is late, 2: the solution is.
    var escalation: Int16 = 0
    let createdAt: Timestamp
    var changedAt: Timestamp
    var firstResponseAt: Timestamp?
    var resolvedAt: Timestamp?
    /// When the clocks run out as they run now; nil while they stand still.
    var firstResponseDue, solutionDue: Timestamp?
    var lease: Lease?
    /// The customer's mark, 1 to 5.
    var satisfaction: Int16?

    /// Where it came from.
    enum Source: String, Codable, Hashable, Sendable, CaseIterable { case web, app, phone, email }

    /// What it is about.
    struct Links: Hashable, Sendable {
        var store: StoreID?
        var receipt: FiscalID?
        /// A transaction of the ledger, an exchange, a donation: as the member's feed names it.
        var operation: Identifier<Operation>?
    }

    /// Something in a member's feed.
    enum Operation {}

    /// A colleague is writing: others keep out until it is given back or runs out.
    struct Lease: Hashable, Sendable {
        let holder: Staff.ID
        let until: Timestamp
    }

    /// How long a customer can say that it was no solution.
    static let reopening = Duration.seconds(14 * 86_400)
    /// How long after its solution a ticket is closed when the customer says nothing.
    static let quiet = Duration.seconds(7 * 86_400)
    /// How long a colleague's claim lasts unless it is renewed.
    static let leaseTime = Duration.seconds(120)

    /// Another colleague's lease that still holds; nil when the ticket is free for this one.
    func foreignLease(for staff: Staff.ID, at now: Timestamp) -> Lease? {
        guard let lease = self.lease, lease.until > now, lease.holder != staff else { return nil }
        return lease
    }

    /// Whether the customer can write into it.
    func isReopenable(at now: Timestamp) -> Bool {
        guard let resolvedAt = self.resolvedAt else { return false }
        return now <= resolvedAt + Self.reopening
    }
}

/// One thing that happened to a ticket. The clocks are computed from these.
struct TicketEvent: Hashable, Sendable {
    let kind: Kind
    /// How the ticket stands from then on.
    let state: TicketState
    let at: Timestamp
    /// The colleague who did it.
    var staff: Staff.ID?
    /// More about it; never personal.
    var detail: String?

    /// What happened.
    enum Kind: String, Codable, Hashable, Sendable, CaseIterable {
        case opened, answered, moved, assigned, noted, tagged, rated, escalated, corrected
        case customerWrote = "customer-wrote"
        case systemAnswered = "system-answered"
        case photoAdded = "photo-added"
    }

    /// Whether the customer has heard from us by it.
    var isResponse: Bool { self.kind == .answered || self.kind == .systemAnswered }
}

/// Why something cannot be done with a ticket.
enum TicketRefusal: Error, Hashable, Sendable {
    /// There is none, or none that the asker may know of.
    case unknown
    /// A colleague has it in hand.
    case leased(SupportTicket.Lease)
    /// It cannot go there from where it is.
    case wrongState(TicketState)
    /// It was resolved too long ago: a new one is needed.
    case closed
    case tooManyPhotos
    case tooManyTickets
    /// It belongs to no member, so there is nobody's account to correct.
    case noMember
}

extension SupportTicket {
    /// Photos of one ticket.
    static let photosMax = 5
    /// Tickets that one member, or one address, may open in a day.
    static let ticketsPerDay: Int64 = 20
    /// Characters of a text that comes through a form.
    static let textMax = 5000
}

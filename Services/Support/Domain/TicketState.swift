/// How a ticket stands.
enum TicketState: String, Codable, Hashable, Sendable, CaseIterable {
    /// Nobody has answered yet.
    case new
    /// Somebody works on it.
    case open
    /// The customer was asked something: the clock of the solution stands still.
    case waitingForCustomer = "waiting-for-customer"
    /// A partner or a store was asked something: the clock runs, because the customer waits for us.
    case waitingForPartner = "waiting-for-partner"
    /// Solved, as we think; the customer can disagree for a while.
    case resolved
    /// Over.
    case closed
    /// Was resolved or closed, and the customer has written again.
    case reopened

    /// Whether the clock of the solution runs.
    var isRunning: Bool {
        switch self {
        case .new, .open, .waitingForPartner, .reopened: true
        case .waitingForCustomer, .resolved, .closed: false
        }
    }

    /// Whether nobody has to do anything any more.
    var isOver: Bool { self == .resolved || self == .closed }

    /// Where a colleague can bring a ticket that stands here.
    var nextByStaff: Set<TicketState> {
        switch self {
        case .new, .open, .waitingForCustomer, .waitingForPartner, .reopened:
            [.open, .waitingForCustomer, .waitingForPartner, .resolved]
        case .resolved: [.open, .closed]
        case .closed: []
        }
    }

    /// How a ticket stands after the customer has written; nil when it must be a new one.
    /// - Parameter isReopenable: whether the time for that is not over.
    func afterCustomer(isReopenable: Bool) -> TicketState? {
        switch self {
        case .new, .open, .waitingForPartner, .reopened: self
        case .waitingForCustomer: .open
        case .resolved, .closed: isReopenable ? .reopened : nil
        }
    }
}

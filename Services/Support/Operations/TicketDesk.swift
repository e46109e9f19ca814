import Kernel
import Postgres

/// Through which every change of a ticket goes: the row is locked, what happened is written into its log, and the clocks
/// are computed from the log anew.
struct TicketDesk: Sendable {
    let clock: any WallClock
    let ids: IDGenerator
    let calendar: WorkingCalendar
    private let store = TicketStore()

    init(clock: any WallClock, ids: IDGenerator, calendar: WorkingCalendar) {
        (self.clock, self.ids, self.calendar) = (clock, ids, calendar)
    }

    /// Opens a ticket.
    /// - Returns: the ticket with its number and its clocks.
    func open(_ ticket: SupportTicket, in transaction: borrowing Transaction) async throws -> SupportTicket {
        var opened = ticket
        opened.number = try await self.store.insert(ticket, in: transaction)
        let event = TicketEvent(kind: .opened, state: ticket.state, at: ticket.createdAt)
        return try await self.settle(opened, after: [event], in: transaction)
    }

    /// Changes a ticket.
    /// - Parameter change: says what happens; nothing is written when it throws.
    /// - Throws: ``TicketRefusal``, `unknown` when there is no such ticket.
    @discardableResult
    func change(
        _ id: Ticket.ID, in transaction: borrowing Transaction,
        _ change: (inout SupportTicket, Timestamp) throws -> [TicketEvent]
    ) async throws -> SupportTicket {
        guard var ticket = try await self.store.lock(id, in: transaction) else { throw TicketRefusal.unknown }
        let events = try change(&ticket, self.clock.now)
        return try await self.settle(ticket, after: events, in: transaction)
    }

    private func settle(
        _ ticket: SupportTicket, after events: [TicketEvent], in transaction: borrowing Transaction
    ) async throws -> SupportTicket {
        var settled = ticket
        for event in events { try await self.store.append(event, to: ticket.id, in: transaction) }
        settled.changedAt = self.clock.now
        let clocks = ServiceClocks(
            try await self.store.events(of: ticket.id, in: transaction), targets: ticket.reason.targets,
            calendar: self.calendar, now: settled.changedAt)
        settled.firstResponseAt = clocks.firstResponseAt
        settled.firstResponseDue = ticket.state.isOver ? nil : clocks.firstResponseDue
        settled.solutionDue = clocks.solutionDue
        try await self.store.update(settled, in: transaction)
        return settled
    }
}

extension SupportTicket {
    /// Brings it to a state and says when it was resolved. What is resolved is late no more.
    mutating func move(to state: TicketState, at now: Timestamp) {
        if state == .resolved { (self.resolvedAt, self.escalation) = (now, 0) }
        self.state = state
    }

    /// - Throws: `leased` when a colleague has it in hand.
    func requireFree(for staff: Staff.ID, at now: Timestamp) throws(TicketRefusal) {
        if let lease = self.foreignLease(for: staff, at: now) { throw .leased(lease) }
    }
}

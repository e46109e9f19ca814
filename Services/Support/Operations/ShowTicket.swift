import Kernel
import Postgres

/// A ticket with everything that belongs to it.
struct TicketView: Sendable {
    let ticket: SupportTicket
    let clocks: ServiceClocks
    let events: [TicketEvent]
    let messages: [ThreadMessage]
    let photos: [PhotoRecord]
    /// How the notice of each message stands.
    let notices: [ThreadMessage.ID: String]
    let corrections: [Correction]
}

/// Shows a ticket, all of it as it was at one moment.
struct ShowTicket: Sendable {
    let database: Database
    let clock: any WallClock
    let calendar: WorkingCalendar
    private let tickets = TicketStore()
    private let thread = ThreadStore()
    private let corrections = CorrectionStore()

    init(database: Database, clock: any WallClock, calendar: WorkingCalendar) {
        (self.database, self.clock, self.calendar) = (database, clock, calendar)
    }

    /// To its asker.
    /// - Throws: ``TicketRefusal``
    func callAsFunction(_ id: Ticket.ID, to asker: CustomerTurns.Asker) async throws -> TicketView {
        try await self.database.transaction(isolation: .repeatableRead, readOnly: true) { transaction in
            guard let ticket = try await self.tickets.find(id, in: transaction) else { throw TicketRefusal.unknown }
            try ticket.requireOwner(asker)
            return try await self.view(of: ticket, in: transaction)
        }
    }

    /// To a colleague, which is written down.
    /// - Throws: ``TicketRefusal``
    func callAsFunction(_ id: Ticket.ID, toColleague staff: Staff.ID) async throws -> TicketView {
        try await self.database.transaction(isolation: .repeatableRead) { transaction in
            guard let ticket = try await self.tickets.find(id, in: transaction) else { throw TicketRefusal.unknown }
            try await self.tickets.logView(by: staff, of: ticket, at: self.clock.now, in: transaction)
            return try await self.view(of: ticket, in: transaction)
        }
    }

    private func view(of ticket: SupportTicket, in transaction: borrowing Transaction) async throws -> TicketView {
        let events = try await self.tickets.events(of: ticket.id, in: transaction)
        return TicketView(
            ticket: ticket,
            clocks: ServiceClocks(
                events, targets: ticket.reason.targets, calendar: self.calendar, now: self.clock.now),
            events: events, messages: try await self.thread.messages(of: ticket.id, in: transaction),
            photos: try await self.thread.photos(of: ticket.id, in: transaction),
            notices: try await self.thread.notices(of: ticket.id, in: transaction),
            corrections: try await self.corrections.all(of: ticket.id, in: transaction))
    }
}

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

/// Shows a ticket.
struct ShowTicket: Sendable {
    let clock: any WallClock
    let calendar: WorkingCalendar
    private let tickets = TicketStore()
    private let thread = ThreadStore()
    private let corrections = CorrectionStore()

    init(clock: any WallClock, calendar: WorkingCalendar) { (self.clock, self.calendar) = (clock, calendar) }

    /// To its asker.
    /// - Throws: ``TicketRefusal``
    func callAsFunction(
        _ id: Ticket.ID, to asker: CustomerTurns.Asker, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> TicketView {
        guard let ticket = try await self.tickets.find(id, in: runner) else { throw TicketRefusal.unknown }
        try ticket.requireOwner(asker)
        return try await self.view(of: ticket, in: runner)
    }

    /// To a colleague, which is written down.
    /// - Throws: ``TicketRefusal``
    func callAsFunction(
        _ id: Ticket.ID, toColleague staff: Staff.ID, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> TicketView {
        guard let ticket = try await self.tickets.find(id, in: runner) else { throw TicketRefusal.unknown }
        try await self.tickets.logView(by: staff, of: ticket, at: self.clock.now, in: runner)
        return try await self.view(of: ticket, in: runner)
    }

    private func view(
        of ticket: SupportTicket, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> TicketView {
        let events = try await self.tickets.events(of: ticket.id, in: runner)
        return TicketView(
            ticket: ticket,
            clocks: ServiceClocks(
                events, targets: ticket.reason.targets, calendar: self.calendar, now: self.clock.now),
            events: events, messages: try await self.thread.messages(of: ticket.id, in: runner),
            photos: try await self.thread.photos(of: ticket.id, in: runner),
            notices: try await self.thread.notices(of: ticket.id, in: runner),
            corrections: try await self.corrections.all(of: ticket.id, in: runner))
    }
}

import Contracts
import JobQueue
import Kernel
import Postgres

/// Writes into a thread, and tells the customer what is not the customer's own.
struct WriteMessage: Sendable {
    let desk: TicketDesk
    let tell: TellCustomer
    private let thread = ThreadStore()

    init(desk: TicketDesk, tell: TellCustomer) { (self.desk, self.tell) = (desk, tell) }

    /// What a customer writes.
    func byCustomer(
        _ text: String, letter: String?, in ticket: SupportTicket, _ transaction: borrowing Transaction
    ) async throws {
        let message = ThreadMessage(
            id: self.desk.ids.next(), author: .customer, body: text, letter: letter, createdAt: self.desk.clock.now)
        try await self.thread.insert(message, to: ticket.id, in: transaction)
    }

    /// What colleagues write for each other.
    func note(
        _ text: String, by staff: Staff.ID?, in ticket: SupportTicket, _ transaction: borrowing Transaction
    ) async throws {
        let message = ThreadMessage(
            id: self.desk.ids.next(), author: staff == nil ? .system : .staff, isNote: true, staff: staff, body: text,
            createdAt: self.desk.clock.now)
        try await self.thread.insert(message, to: ticket.id, in: transaction)
    }

    /// An answer. Its letter answers the thread's latest one.
    func answer(
        _ text: Reason.Wording, by staff: Staff.ID?, evidence: ReceiptEvidence? = nil, in ticket: SupportTicket,
        _ transaction: borrowing Transaction
    ) async throws {
        let id = self.desk.ids.next(ThreadMessage.self)
        let before = try await self.thread.latestLetter(of: ticket.id, in: transaction)
        let message = ThreadMessage(
            id: id, author: staff == nil ? .system : .staff, staff: staff, body: text[ticket.language],
            evidence: evidence, letter: self.tell.letterName(of: id), createdAt: self.desk.clock.now)
        try await self.thread.insert(message, to: ticket.id, in: transaction)
        try await self.tell(text, of: id, in: ticket, answering: before, in: transaction)
    }
}

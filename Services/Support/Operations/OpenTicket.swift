import Contracts
import JobQueue
import Kernel
import Postgres

/// Find out about the receipt of a ticket. Sent by support to itself; names the ticket only.
struct InvestigateReceipt: Command {
    static let name = "support.investigate-receipt"
    static let queue: QueueName = "support.work"

    let ticket: Ticket.ID
}

/// Opens a ticket, wherever it comes from.
struct OpenTicket: Sendable {
    /// What somebody asks.
    struct Question: Sendable {
        var member: Member.ID?
        var email: EmailAddress?
        let source: SupportTicket.Source
        let reason: Reason
        /// nil: the reason's title.
        var subject: String?
        let text: String
        let language: Language
        var links = SupportTicket.Links()
        /// The letter that brought it.
        var letter: String?
        /// The colleague who wrote it down during a call.
        var staff: Staff.ID?
    }

    let desk: TicketDesk
    let write: WriteMessage
    let bus: Bus
    private let store = TicketStore()

    init(desk: TicketDesk, write: WriteMessage, bus: Bus) { (self.desk, self.write, self.bus) = (desk, write, bus) }

    /// - Throws: ``TicketRefusal``, `tooManyTickets`.
    func callAsFunction(
        _ question: Question, in transaction: borrowing Transaction
    ) async throws -> SupportTicket {
        let now = self.desk.clock.now
        if question.staff == nil {
            let opened = try await self.store.opened(
                by: question.member, question.email, since: now - .seconds(86_400), in: transaction)
            guard opened < SupportTicket.ticketsPerDay else { throw TicketRefusal.tooManyTickets }
        }
        let ticket = try await self.desk.open(
            SupportTicket(
                id: self.desk.ids.next(), number: 0, member: question.member, email: question.email,
                source: question.source, reason: question.reason,
                subject: question.subject ?? question.reason.title[question.language], language: question.language,
                links: question.links, state: .new, team: question.reason.team, createdAt: now, changedAt: now),
            in: transaction)
        try await self.write.byCustomer(question.text, letter: question.letter, in: ticket, transaction)
        if question.reason.evidence == .receipt, ticket.member != nil, ticket.links.receipt != nil {
            try await self.bus.send(InvestigateReceipt(ticket: ticket.id), in: transaction)
        }
        if ticket.email != nil {
            // Not a message of the thread: it says nothing that the page does not show.
            try await self.write.tell(
                SupportTexts.received(ticket), of: self.desk.ids.next(), in: ticket, answering: question.letter,
                in: transaction)
        }
        return ticket
    }
}

import Kernel
import Postgres

/// What colleagues do with tickets. While one has a ticket in hand, the others are told so.
struct StaffTurns: Sendable {
    let desk: TicketDesk
    let write: WriteMessage

    /// Takes a ticket in hand for two minutes, or for two more.
    func lease(_ id: Ticket.ID, by staff: Staff.ID, in transaction: borrowing Transaction) async throws -> SupportTicket
    {
        try await self.desk.change(id, in: transaction) { ticket, now in
            try ticket.requireFree(for: staff, at: now)
            ticket.lease = SupportTicket.Lease(holder: staff, until: now + SupportTicket.leaseTime)
            return []
        }
    }

    /// Gives it back; nothing happens when somebody else has it.
    func release(_ id: Ticket.ID, by staff: Staff.ID, in transaction: borrowing Transaction) async throws {
        try await self.desk.change(id, in: transaction) { ticket, _ in
            if ticket.lease?.holder == staff { ticket.lease = nil }
            return []
        }
    }

    /// Answers the customer. Who answers first becomes the assignee.
    /// - Parameter next: how the ticket stands then.
    func answer(
        _ text: String, then next: TicketState, _ id: Ticket.ID, by staff: Staff.ID,
        in transaction: borrowing Transaction
    ) async throws -> SupportTicket {
        let ticket = try await self.desk.change(id, in: transaction) { ticket, now in
            try ticket.requireFree(for: staff, at: now)
            guard ticket.state.nextByStaff.contains(next), next != .closed else {
                throw TicketRefusal.wrongState(ticket.state)
            }
            ticket.move(to: next, at: now)
            ticket.assignee = ticket.assignee ?? staff
            ticket.lease = nil
            return [TicketEvent(kind: .answered, state: next, at: now, staff: staff)]
        }
        try await self.write.answer(.init(ru: text, en: text), by: staff, in: ticket, transaction)
        return ticket
    }

    /// Writes a note that only colleagues see. Two can do that at once.
    func note(
        _ text: String, _ id: Ticket.ID, by staff: Staff.ID, in transaction: borrowing Transaction
    ) async throws -> SupportTicket {
        let ticket = try await self.desk.change(id, in: transaction) { ticket, now in
            [TicketEvent(kind: .noted, state: ticket.state, at: now, staff: staff)]
        }
        try await self.write.note(text, by: staff, in: ticket, transaction)
        return ticket
    }

    /// Brings it to the top before its clocks do: to a supervisor's eye (1), or above everything (2). Why, stands in a note
    /// beside it; who did it, in the log. One that stands as high already stays as it is.
    func escalate(
        _ id: Ticket.ID, to level: Int16, because reason: String, by staff: Staff.ID,
        in transaction: borrowing Transaction
    ) async throws -> SupportTicket {
        var isRaised = false
        let ticket = try await self.desk.change(id, in: transaction) { ticket, now in
            guard !ticket.state.isOver else { throw TicketRefusal.wrongState(ticket.state) }
            guard level > ticket.escalation else { return [] }
            ticket.escalation = level
            isRaised = true
            return [TicketEvent(kind: .escalated, state: ticket.state, at: now, staff: staff, detail: "\(level)")]
        }
        if isRaised { try await self.write.note(reason, by: staff, in: ticket, transaction) }
        return ticket
    }

    /// Writes down what the customer said on the phone, as if the customer had written it.
    func call(
        _ text: String, _ id: Ticket.ID, by staff: Staff.ID, in transaction: borrowing Transaction
    ) async throws -> SupportTicket {
        let ticket = try await self.desk.change(id, in: transaction) { ticket, now in
            guard let next = ticket.state.afterCustomer(isReopenable: ticket.isReopenable(at: now)) else {
                throw TicketRefusal.closed
            }
            ticket.move(to: next, at: now)
            return [TicketEvent(kind: .customerWrote, state: next, at: now, staff: staff, detail: "phone")]
        }
        try await self.write.byCustomer(text, letter: nil, in: ticket, transaction)
        return ticket
    }

    /// Brings it to another state without a word.
    func move(
        _ id: Ticket.ID, to next: TicketState, by staff: Staff.ID, in transaction: borrowing Transaction
    ) async throws -> SupportTicket {
        try await self.desk.change(id, in: transaction) { ticket, now in
            try ticket.requireFree(for: staff, at: now)
            guard ticket.state.nextByStaff.contains(next) else { throw TicketRefusal.wrongState(ticket.state) }
            ticket.move(to: next, at: now)
            return [TicketEvent(kind: .moved, state: next, at: now, staff: staff)]
        }
    }

    /// Gives it to somebody, to a team, or back to everybody.
    func assign(
        _ id: Ticket.ID, to assignee: Staff.ID?, team: Reason.Team?, by staff: Staff.ID,
        in transaction: borrowing Transaction
    ) async throws -> SupportTicket {
        try await self.desk.change(id, in: transaction) { ticket, now in
            ticket.assignee = assignee
            ticket.team = team ?? ticket.team
            return [
                TicketEvent(
                    kind: .assigned, state: ticket.state, at: now, staff: staff,
                    detail: assignee?.description ?? ticket.team.rawValue)
            ]
        }
    }

    /// Replaces its tags.
    func tag(
        _ id: Ticket.ID, with tags: [String], by staff: Staff.ID, in transaction: borrowing Transaction
    ) async throws -> SupportTicket {
        try await self.desk.change(id, in: transaction) { ticket, now in
            ticket.tags = Array(Set(tags)).sorted()
            return [TicketEvent(kind: .tagged, state: ticket.state, at: now, staff: staff)]
        }
    }
}

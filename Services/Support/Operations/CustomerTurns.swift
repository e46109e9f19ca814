import Kernel
import Photos
import Postgres

/// What a customer does with the own ticket. Whether it is the own one is checked here, whoever asks.
struct CustomerTurns: Sendable {
    /// How an asker has shown that a ticket is the own one.
    enum Asker: Hashable, Sendable {
        /// By logging in.
        case member(Member.ID)
        /// By a key or a reply address that we have signed.
        case bearer(Ticket.ID)
    }

    let desk: TicketDesk
    let write: WriteMessage
    private let thread = ThreadStore()

    init(desk: TicketDesk, write: WriteMessage) { (self.desk, self.write) = (desk, write) }

    /// Writes into the ticket; what was resolved not too long ago opens again.
    func reply(
        _ text: String, letter: String? = nil, to id: Ticket.ID, by asker: Asker,
        in transaction: borrowing Transaction
    ) async throws -> SupportTicket {
        let ticket = try await self.desk.change(id, in: transaction) { ticket, now in
            try ticket.requireOwner(asker)
            guard let next = ticket.state.afterCustomer(isReopenable: ticket.isReopenable(at: now)) else {
                throw TicketRefusal.closed
            }
            ticket.move(to: next, at: now)
            return [TicketEvent(kind: .customerWrote, state: next, at: now)]
        }
        try await self.write.byCustomer(text, letter: letter, in: ticket, transaction)
        return ticket
    }

    /// Keeps a photo that was made anew.
    func attach(
        _ photo: PhotoCleaner.Cleaned, to id: Ticket.ID, by asker: Asker, in transaction: borrowing Transaction
    ) async throws -> PhotoRecord {
        let ticket = try await self.desk.change(id, in: transaction) { ticket, now in
            try ticket.requireOwner(asker)
            guard !ticket.state.isOver || ticket.isReopenable(at: now) else { throw TicketRefusal.closed }
            return [TicketEvent(kind: .photoAdded, state: ticket.state, at: now)]
        }
        let record = PhotoRecord(
            id: self.desk.ids.next(), contentType: photo.header.kind.contentType, width: Int32(photo.header.width),
            height: Int32(photo.header.height), createdAt: self.desk.clock.now)
        let isKept = try await self.thread.insert(
            record, photo.bytes, to: ticket.id, atMost: SupportTicket.photosMax, in: transaction)
        guard isKept else { throw TicketRefusal.tooManyPhotos }
        return record
    }

    /// Says how good the answer was, 1 to 5. A later mark replaces the earlier one.
    func rate(
        _ mark: Int16, _ id: Ticket.ID, by asker: Asker, in transaction: borrowing Transaction
    ) async throws -> SupportTicket {
        try await self.desk.change(id, in: transaction) { ticket, now in
            try ticket.requireOwner(asker)
            guard ticket.state.isOver else { throw TicketRefusal.wrongState(ticket.state) }
            ticket.satisfaction = mark
            return [TicketEvent(kind: .rated, state: ticket.state, at: now, detail: "\(mark)")]
        }
    }
}

extension SupportTicket {
    /// - Throws: `unknown`, exactly as when there were no such ticket.
    func requireOwner(_ asker: CustomerTurns.Asker) throws(TicketRefusal) {
        switch asker {
        case .member(let member): guard self.member == member else { throw .unknown }
        case .bearer(let ticket): guard self.id == ticket else { throw .unknown }
        }
    }
}

import Contracts
import JobQueue
import Kernel
import Postgres

/// Asks promotions what became of a receipt, attaches what it says, answers the member within seconds, and drafts the
/// correction that two colleagues may make of it.
struct AnswerMissingPoints: Sendable {
    let database: Database
    let bus: Bus
    let desk: TicketDesk
    let write: WriteMessage
    private let tickets = TicketStore()
    private let corrections = CorrectionStore()

    init(database: Database, bus: Bus, desk: TicketDesk, write: WriteMessage) {
        (self.database, self.bus, self.desk, self.write) = (database, bus, desk, write)
    }

    /// Asked again it changes nothing: the first answer holds.
    func callAsFunction(_ id: Ticket.ID) async throws {
        guard let ticket = try await self.tickets.find(id, in: self.database), let member = ticket.member,
            let receipt = ticket.links.receipt
        else { return }
        let reply = try await self.bus.call(ExplainReceipt(member: member, fiscal: receipt))
        let evidence = ReceiptEvidence(reply, askedAt: self.desk.clock.now)
        try await self.database.transaction { transaction in
            try await self.answer(id, member, evidence, in: transaction)
        }
    }

    private func answer(
        _ id: Ticket.ID, _ member: Member.ID, _ evidence: ReceiptEvidence, in transaction: borrowing Transaction
    ) async throws {
        guard let locked = try await self.tickets.lock(id, in: transaction) else { return }
        let events = try await self.tickets.events(of: id, in: transaction)
        guard !events.contains(where: { $0.kind == .systemAnswered }), !locked.state.isOver else { return }
        let ticket = try await self.desk.change(id, in: transaction) { ticket, now in
            // A receipt that has earned is explained, and the customer may ask on; else somebody has to look.
            ticket.move(to: evidence.finding == .credited ? .waitingForCustomer : .open, at: now)
            return [
                TicketEvent(kind: .systemAnswered, state: ticket.state, at: now, detail: evidence.finding.rawValue)
            ]
        }
        try await self.write.answer(
            SupportTexts.evidence(evidence), by: nil, evidence: evidence, in: ticket, transaction)
        guard evidence.finding == .withoutCard, let points = evidence.points?.amount,
            1...Correction.pointsMax ~= points
        else { return }
        _ = try await self.corrections.insert(
            Correction(
                id: self.desk.ids.next(), ticket: id, member: member, points: points,
                reason: "Чек пробит без карты: \(ticket.links.receipt?.description ?? "")", state: .draft,
                createdAt: self.desk.clock.now),
            in: transaction)
    }
}

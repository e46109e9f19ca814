import Contracts
import JobQueue
import Kernel
import Postgres

/// Corrects a member's points with four eyes: one colleague asks the ledger for it, another one decides.
///
/// The attempt is committed before the ledger is asked, under a natural key that is kept. Whoever hears nothing asks again,
/// and the ledger is asked for the same thing.
struct CorrectPoints: Sendable {
    let database: Database
    let bus: Bus
    let desk: TicketDesk
    let write: WriteMessage
    private let tickets = TicketStore()
    private let corrections = CorrectionStore()

    init(database: Database, bus: Bus, desk: TicketDesk, write: WriteMessage) {
        (self.database, self.bus, self.desk, self.write) = (database, bus, desk, write)
    }

    /// Asks for a correction: of the draft when there is one.
    /// - Throws: ``TicketRefusal``, ``CorrectionRefusal``
    func request(_ points: Int64, because reason: String, for id: Ticket.ID, by maker: Staff.ID) async throws
        -> Correction
    {
        let correction = try await self.database.transaction { transaction in
            try await self.begin(points, reason, for: id, by: maker, in: transaction)
        }
        guard correction.state == .requesting else { return correction }
        let outcome = try await self.ask(
            .requestAdjustment(
                RequestAdjustment(
                    id: correction.id, member: correction.member, points: correction.points, cause: .correction,
                    maker: maker, ticket: correction.ticket.description, reason: correction.reason)))
        return try await self.settle(correction.id, from: .requesting) { correction in
            switch outcome {
            case .done: correction.state = .requested
            case .refused(let code): (correction.state, correction.refusal) = (.refused, code.rawValue)
            }
        }
    }

    /// Decides about a correction that somebody else has asked for. Approved, the customer is told.
    /// - Throws: ``CorrectionRefusal``
    func decide(_ id: Correction.ID, approves: Bool, by checker: Staff.ID) async throws -> Correction {
        let correction = try await self.database.transaction { transaction in
            try await self.begin(id, approves, by: checker, in: transaction)
        }
        guard correction.state == .deciding, let decision = correction.decision else { return correction }
        let outcome = try await self.ask(
            .decideAdjustment(
                DecideAdjustment(
                    id: decision, member: correction.member, adjustment: id, checker: checker, approves: approves)))
        return try await self.settle(id, from: .deciding) { correction in
            switch outcome {
            case .done: correction.state = approves ? .approved : .rejected
            case .refused(let code): (correction.state, correction.refusal) = (.refused, code.rawValue)
            }
        }
    }

    private func begin(
        _ points: Int64, _ reason: String, for id: Ticket.ID, by maker: Staff.ID,
        in transaction: borrowing Transaction
    ) async throws -> Correction {
        guard let ticket = try await self.tickets.lock(id, in: transaction) else { throw TicketRefusal.unknown }
        guard let member = ticket.member else { throw TicketRefusal.noMember }
        let now = self.desk.clock.now
        guard var correction = try await self.corrections.lockOpen(of: id, in: transaction) else {
            let fresh = Correction(
                id: self.desk.ids.next(), ticket: id, member: member, points: points, reason: reason,
                state: .requesting, maker: maker, createdAt: now)
            guard try await self.corrections.insert(fresh, in: transaction) else { throw CorrectionRefusal.alreadyOpen }
            return fresh
        }
        switch correction.state {
        case .draft:
            (correction.points, correction.reason) = (points, reason)
            (correction.maker, correction.state) = (maker, .requesting)
            try await self.corrections.update(correction, at: now, in: transaction)
            return correction
        case .requesting, .requested:
            // The same wish again goes on with the same request.
            let isSame = correction.maker == maker && correction.points == points && correction.reason == reason
            guard isSame else { throw CorrectionRefusal.alreadyOpen }
            return correction
        default: throw CorrectionRefusal.alreadyOpen
        }
    }

    private func begin(
        _ id: Correction.ID, _ approves: Bool, by checker: Staff.ID, in transaction: borrowing Transaction
    ) async throws -> Correction {
        guard var correction = try await self.corrections.lock(id, in: transaction) else {
            throw CorrectionRefusal.unknown
        }
        guard correction.maker != checker else { throw CorrectionRefusal.samePerson }
        switch correction.state {
        case .requested:
            (correction.checker, correction.approves) = (checker, approves)
            (correction.state, correction.decision) = (.deciding, self.desk.ids.next())
            try await self.corrections.update(correction, at: self.desk.clock.now, in: transaction)
            return correction
        case .deciding, .approved, .rejected:
            guard correction.checker == checker, correction.approves == approves else {
                throw CorrectionRefusal.wrongState(correction.state)
            }
            return correction
        default: throw CorrectionRefusal.wrongState(correction.state)
        }
    }

    /// Asks the ledger, which answers the same transfer the same way however often it is asked for.
    private func ask(_ transfer: Transfer) async throws -> TransferOutcome {
        do {
            return try await self.bus.call(MakeTransfer(transfer))
        } catch is CallError {
            throw CorrectionRefusal.undecided
        }
    }

    /// Writes the ledger's answer down; a twin of this request may have done so already.
    private func settle(
        _ id: Correction.ID, from state: Correction.State, _ change: @Sendable (inout Correction) -> Void
    ) async throws -> Correction {
        try await self.database.transaction { transaction in
            guard var correction = try await self.corrections.lock(id, in: transaction) else {
                throw CorrectionRefusal.unknown
            }
            guard correction.state == state else { return correction }
            change(&correction)
            try await self.corrections.update(correction, at: self.desk.clock.now, in: transaction)
            try await self.record(correction, in: transaction)
            return correction
        }
    }

    private func record(_ correction: Correction, in transaction: borrowing Transaction) async throws {
        let staff = correction.checker ?? correction.maker
        do {
            let ticket = try await self.desk.change(correction.ticket, in: transaction) { ticket, now in
                [
                    TicketEvent(
                        kind: .corrected, state: ticket.state, at: now, staff: staff,
                        detail: correction.state.rawValue)
                ]
            }
            guard correction.state == .approved else { return }
            try await self.write.answer(SupportTexts.corrected(correction.points), by: nil, in: ticket, transaction)
        } catch TicketRefusal.unknown {
            // Erased meanwhile: there is nobody to tell.
        }
    }
}

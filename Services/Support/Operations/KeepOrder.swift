import JobQueue
import Kernel
import Metrics
import Postgres

/// Bring late tickets to the top. Sent by support to itself, every minute.
struct EscalateLate: Command {
    static let name = "support.escalate-late"
    static let queue: QueueName = "support.chores"
}

/// Close what was resolved long ago, and forget what is of no use any more. Sent by support to itself, every hour.
struct CloseQuiet: Command {
    static let name = "support.close-quiet"
    static let queue: QueueName = "support.chores"
}

/// What is done for all tickets, again and again. Each ticket in a transaction of its own.
struct KeepOrder: Sendable {
    private static let batch = 200
    /// How long a letter's name is remembered: mail servers give up after five days.
    private static let letters = Duration.seconds(90 * 86_400)
    /// How long answers are kept for those who ask again.
    private static let answers = Duration.seconds(2 * 86_400)

    let database: Database
    let desk: TicketDesk
    private let tickets = TicketStore()
    private let store = DeskStore()
    private let escalations = Counter(label: "support_escalations_total")

    init(database: Database, desk: TicketDesk) { (self.database, self.desk) = (database, desk) }

    /// Level 1: the first answer is late; level 2: the solution is.
    func escalate() async throws {
        while true {
            let late = try await self.tickets.late(at: self.desk.clock.now, limit: Self.batch, in: self.database)
            for id in late {
                try await self.changing(id) { ticket, now in
                    let isSolutionLate = ticket.solutionDue.map { $0 < now } ?? false
                    let isResponseLate = ticket.firstResponseDue.map { $0 < now } ?? false
                    let level: Int16 = isSolutionLate ? 2 : isResponseLate ? 1 : 0
                    guard level > ticket.escalation else { return [] }
                    ticket.escalation = level
                    return [TicketEvent(kind: .escalated, state: ticket.state, at: now, detail: "\(level)")]
                }
            }
            self.escalations.increment(by: Int64(late.count))
            if late.count < Self.batch { return }
        }
    }

    /// Closes and forgets.
    func close() async throws {
        while true {
            let moment = self.desk.clock.now - SupportTicket.quiet
            let quiet = try await self.tickets.resolved(before: moment, limit: Self.batch, in: self.database)
            for id in quiet {
                try await self.changing(id) { ticket, now in
                    // The customer may have written in between.
                    guard ticket.state == .resolved else { return [] }
                    ticket.move(to: .closed, at: now)
                    return [TicketEvent(kind: .moved, state: .closed, at: now)]
                }
            }
            if quiet.count < Self.batch { break }
        }
        let now = self.desk.clock.now
        try await self.database.transaction { transaction in
            try await self.store.forget(
                challengesBefore: now, lettersBefore: now - Self.letters, answersBefore: now - Self.answers,
                in: transaction)
        }
    }

    private func changing(
        _ id: Ticket.ID, _ change: @Sendable (inout SupportTicket, Timestamp) -> [TicketEvent]
    ) async throws {
        do {
            try await self.database.transaction { transaction in
                _ = try await self.desk.change(id, in: transaction) { ticket, now in change(&ticket, now) }
            }
        } catch TicketRefusal.unknown {
            // Erased between two statements.
        }
    }
}

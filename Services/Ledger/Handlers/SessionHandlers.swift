internal import Contracts
internal import JobQueue
internal import Kernel
internal import Postgres
internal import Web

/// Hears of sessions that have ended, so that their tokens are refused before they run out.
struct SessionHandlers: Sendable {
    static let queue = QueueDeclaration("ledger.sessions", retention: .seconds(86_400), producers: ["auth"])

    let clock: any WallClock

    var all: [Handler] {
        [
            .batch(SessionEnded.self, on: Self.queue.name) { jobs, transaction in
                let entries = jobs.map { job in
                    EndedSessionStore.Entry(session: job.message.session, forgetAt: job.message.forgetAt)
                }
                try await EndedSessionStore(schema: "ledger").note(entries, at: self.clock.now, in: transaction)
            }
        ]
    }
}

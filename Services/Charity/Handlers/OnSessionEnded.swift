import Contracts
import JobQueue
import Kernel
import Postgres
import Web

/// Notes sessions that have ended, so that their tokens give nothing away any more.
struct OnSessionEnded: Sendable {
    let clock: any WallClock
    private let store = EndedSessionStore(schema: "charity")

    init(clock: any WallClock) { self.clock = clock }

    func callAsFunction(_ jobs: [Job<SessionEnded>], in transaction: borrowing Transaction) async throws {
        let entries = jobs.map { job in
            EndedSessionStore.Entry(session: job.message.session, forgetAt: job.message.forgetAt)
        }
        try await self.store.note(entries, at: self.clock.now, in: transaction)
    }
}

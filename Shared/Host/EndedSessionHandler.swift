internal import Contracts
public import JobQueue
public import Kernel
internal import Web

extension Handler {
    /// Hears of sessions that have ended, so that their tokens are refused before they run out: notes them in the table
    /// `<schema>.ended_session`, which `EndedSessions` looks at. Batched, so the other handlers of the queue must be too.
    ///
    /// - Parameters:
    ///   - schema: whose table it is.
    ///   - queue: the service's; auth must be among its producers.
    ///   - clock: by which tokens run out.
    public static func endedSessions(of schema: ServiceName, on queue: QueueName, clock: any WallClock) -> Handler {
        let store = EndedSessionStore(schema: schema)
        return .batch(SessionEnded.self, on: queue) { jobs, transaction in
            let entries = jobs.map { job in
                EndedSessionStore.Entry(session: job.message.session, forgetAt: job.message.forgetAt)
            }
            try await store.note(entries, at: clock.now, in: transaction)
        }
    }
}

/// When a worker may go to sleep without missing a job. Pure: the claim loop performs it.
///
/// The worker commits that it sleeps *before* its last look; the sender looks for sleepers *after* its commit:
///
///     worker   look: nothing ── announce (commit) ── look again: nothing ── wait
///     sender        insert job ── commit ─────────────────────────────────── read sleepers ── NOTIFY
///
/// If the sender's commit comes before the worker's second look, that look finds the job. If it comes after, then the
/// announcement was committed before the sender read the sleepers, and the bell rings. There is no third order.
/// A bell takes the announcement away; until one comes it stands, and a look that finds nothing is enough to sleep on.
/// The poll is the net under a bell that was lost with its connection, and it finds what nobody rings for: the batch of a
/// process that was killed comes back with its transaction.
struct SleepProtocol: Sendable, Equatable {
    enum Step: Sendable, Equatable {
        case announce
        case wait(upTo: Duration)
    }

    /// With its jitter less than a second, which is the promise for such a batch while there is traffic.
    static let shortestPoll = Duration.milliseconds(750)
    static let longestPoll = Duration.seconds(5)
    /// While no bell can be heard.
    static let deafPoll = Duration.milliseconds(250)

    private(set) var isAnnounced = false
    private(set) var poll = SleepProtocol.shortestPoll

    /// After a look that found nothing anywhere.
    /// - Parameters:
    ///   - canHear: whether the listener is connected.
    ///   - jitter: from 0 to 1; spreads the polls of many processes.
    func step(canHear: Bool, jitter: Double) -> Step {
        guard self.isAnnounced else { return .announce }
        return .wait(upTo: (canHear ? self.poll : Self.deafPoll) * (0.8 + 0.4 * jitter))
    }

    /// The announcement has been committed; now the worker looks once more.
    mutating func announced() {
        self.isAnnounced = true
    }

    /// A bell of the database, or a new session: no announcement stands any more.
    mutating func heardBell() {
        self.isAnnounced = false
        self.poll = Self.shortestPoll
    }

    /// Nobody rang.
    mutating func timedOut() {
        self.poll = min(self.poll * 2, Self.longestPoll)
    }

    /// A look has found something: traffic is about.
    mutating func foundWork() {
        self.poll = Self.shortestPoll
    }
}

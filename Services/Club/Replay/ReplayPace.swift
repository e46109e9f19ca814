import Kernel

/// When each receipt of a replay is due: all at once, or as far apart as they were, `speed` times faster.
struct ReplayPace: Sendable {
    /// Seconds of the data for one second of ours; nil for as fast as possible.
    let speed: Double?
    let begin: Timestamp
    let clock: ContinuousClock
    private let start: ContinuousClock.Instant

    init(speed: Double?, begin: Timestamp, clock: ContinuousClock = ContinuousClock()) {
        self.speed = speed
        self.begin = begin
        self.clock = clock
        self.start = clock.now
    }

    /// How long after the replay's start a receipt is due.
    func delay(of moment: Timestamp) -> Duration {
        guard let speed else { return .zero }
        return max(.zero, (moment - self.begin) / speed)
    }

    func wait(for moment: Timestamp) async throws {
        guard self.speed != nil else { return }
        try await self.clock.sleep(until: self.start + self.delay(of: moment))
    }
}

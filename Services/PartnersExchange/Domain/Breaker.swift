import Kernel

/// Whether a partner can be reached, as its latest answers say. A partner that fails again and again is left alone for a
/// while, so that nobody's points are set aside for what cannot be had.
struct Breaker: Hashable, Sendable {
    /// Failures in a row that shut it.
    static let failuresMax: Int32 = 5
    static let firstPause = Duration.seconds(30)
    static let longestPause = Duration.seconds(600)

    /// In a row.
    var failures: Int32 = 0
    /// Until when nobody is sent there; nil: it is open.
    var shutUntil: Timestamp?

    /// How long it stays shut; nil when it is open. After the pause the next one who comes tries it out.
    func pause(at now: Timestamp) -> Duration? {
        guard let shutUntil = self.shutUntil, now < shutUntil else { return nil }
        return shutUntil - now
    }

    /// The partner has answered with sense.
    mutating func succeeded() {
        (self.failures, self.shutUntil) = (0, nil)
    }

    /// The partner did not answer, or answered that it cannot. From the fifth time on the pause is twice as long each time.
    mutating func failed(at now: Timestamp) {
        self.failures = min(self.failures, 1000) + 1
        let beyond = self.failures - Self.failuresMax
        guard beyond >= 0 else { return }
        var pause = Self.firstPause
        for _ in 0..<min(beyond, 10) { pause = min(pause * 2, Self.longestPause) }
        self.shutUntil = now + pause
    }
}

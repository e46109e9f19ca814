/// When a listener connects, waits and gives up: its decisions, without any I/O.
struct ListenerState: Sendable {
    enum Action: Equatable, Sendable {
        case connect
        /// Connect again after a pause.
        case wait(Duration)
        case disconnect
        case none
    }

    private enum Phase { case resting, connecting, connected, waiting, stopped }

    /// The first pause after a connection is lost; it doubles with each failure up to the longest.
    let firstPause: Duration
    let longestPause: Duration
    private var phase = Phase.resting
    private var failures = 0

    init(firstPause: Duration = .milliseconds(100), longestPause: Duration = .seconds(5)) {
        self.firstPause = firstPause
        self.longestPause = longestPause
    }

    var isConnected: Bool { self.phase == .connected }

    mutating func wanted() -> Action {
        guard self.phase == .resting else { return .none }
        self.phase = .connecting
        return .connect
    }

    mutating func connected() -> Action {
        guard self.phase == .connecting else { return .disconnect }
        self.phase = .connected
        self.failures = 0
        return .none
    }

    /// The connection was lost or could not be made.
    /// - Parameter jitter: from 0 to 1, so that many processes do not come back at the same moment.
    mutating func failed(jitter: Double) -> Action {
        guard self.phase == .connecting || self.phase == .connected else { return .none }
        self.phase = .waiting
        let pause = min(self.longestPause, self.firstPause * (1 << min(self.failures, 16)))
        self.failures += 1
        return .wait(pause / 2 + pause / 2 * jitter)
    }

    mutating func pauseOver() -> Action {
        guard self.phase == .waiting else { return .none }
        self.phase = .connecting
        return .connect
    }

    /// Nobody listens any more.
    mutating func unwanted() -> Action {
        guard self.phase != .stopped else { return .none }
        defer { self.phase = .resting }
        return self.phase == .connected ? .disconnect : .none
    }

    mutating func stop() -> Action {
        defer { self.phase = .stopped }
        return self.phase == .connected ? .disconnect : .none
    }
}

public import Kernel
internal import NIOConcurrencyHelpers

/// A clock that stands still until a test moves it.
public final class ManualClock: WallClock {
    private let time: NIOLockedValueBox<Timestamp>

    /// - Parameter start: the first moment; by default the morning of Monday, 2 March 2026, in Moscow.
    public init(_ start: Timestamp = Timestamp(secondsSince1970: 1_772_435_400)) {
        self.time = NIOLockedValueBox(start)
    }

    public var now: Timestamp { self.time.withLockedValue { $0 } }

    /// Moves forward, or backward with a negative duration.
    public func advance(by duration: Duration) {
        self.time.withLockedValue { $0 = $0 + duration }
    }

    /// Jumps to a moment.
    public func set(to moment: Timestamp) {
        self.time.withLockedValue { $0 = moment }
    }
}

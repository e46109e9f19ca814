public import Kernel
import NIOConcurrencyHelpers

/// Values that may be a few seconds old, and never more of them than a fixed number: what a caller may ask for must not
/// fill the memory.
public final class BoundedCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let entries = NIOLockedValueBox<[Key: (value: Value, until: Timestamp)]>([:])
    private let lifetime: Duration
    private let countMax: Int
    private let clock: any WallClock

    /// - Parameters:
    ///   - lifetime: how old a value may be.
    ///   - countMax: how many there may be at once.
    public init(lifetime: Duration, countMax: Int, clock: any WallClock) {
        (self.lifetime, self.countMax, self.clock) = (lifetime, countMax, clock)
    }

    /// The value, unless it is too old.
    public subscript(key: Key) -> Value? {
        let now = self.clock.now
        return self.entries.withLockedValue { entries in
            guard let entry = entries[key], now < entry.until else { return nil }
            return entry.value
        }
    }

    /// Remembers a value.
    public func insert(_ value: Value, for key: Key) {
        let now = self.clock.now
        self.entries.withLockedValue { entries in
            if entries.count >= self.countMax {
                entries = entries.filter { now < $0.value.until }
                // All of them fresh: a flood. Starting again costs a question each, not memory.
                if entries.count >= self.countMax { entries.removeAll() }
            }
            entries[key] = (value, now + self.lifetime)
        }
    }
}

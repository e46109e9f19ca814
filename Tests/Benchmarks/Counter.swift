import NIOConcurrencyHelpers

/// Numbers that several tasks take in turn.
final class Counter: Sendable {
    private let value = NIOLockedValueBox<Int64>(0)
    private let expected = NIOLockedValueBox<Int64>(0)

    func next() -> Int64 {
        self.value.withLockedValue { value in
            value += 1
            return value
        }
    }

    func add(_ count: Int64) { self.value.withLockedValue { $0 += count } }

    var count: Int64 { self.value.withLockedValue { $0 } }

    /// One more is on its way.
    func expect() { self.expected.withLockedValue { $0 += 1 } }

    /// How many are on their way.
    var lag: Int64 { self.expected.withLockedValue { $0 } - self.count }
}

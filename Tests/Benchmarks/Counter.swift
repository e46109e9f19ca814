import NIOConcurrencyHelpers

/// Numbers that several tasks take in turn.
final class Counter: Sendable {
    private let value = NIOLockedValueBox<Int64>(0)

    func next() -> Int64 {
        self.value.withLockedValue { value in
            value += 1
            return value
        }
    }

    var count: Int64 { self.value.withLockedValue { $0 } }
}

/// Tells a test that something has happened in the part under test, with what it was.
///
/// The part under test calls ``send(_:)`` (through a closure or a hook); the test awaits ``next(within:)``. Nothing is
/// lost: what is sent before anybody waits is kept, in order.
public final class Signal<Value: Sendable>: Sendable {
    private let stream: AsyncStream<Value>
    private let continuation: AsyncStream<Value>.Continuation

    /// A signal that nobody has sent yet.
    public init() {
        (self.stream, self.continuation) = AsyncStream.makeStream()
    }

    /// Says that it has happened.
    public func send(_ value: Value) {
        self.continuation.yield(value)
    }

    /// The next value that was sent and not yet taken.
    /// - Throws: ``NeverHappened`` when none came in time.
    public func next(within limit: Duration = .seconds(30)) async throws -> Value {
        let stream = self.stream
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { await stream.first { _ in true } }
            group.addTask {
                try await ContinuousClock().sleep(for: limit)
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let value = first else {
                throw NeverHappened(description: "Within \(limit) nobody sent a \(Value.self)")
            }
            return value
        }
    }

    /// The next `count` values.
    public func next(_ count: Int, within limit: Duration = .seconds(30)) async throws -> [Value] {
        var values: [Value] = []
        while values.count < count {
            values.append(try await self.next(within: limit))
        }
        return values
    }
}

extension Signal where Value == Void {
    /// Says that it has happened.
    public func send() {
        self.send(())
    }
}

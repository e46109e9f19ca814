import NIOConcurrencyHelpers

/// Waits until a number of things have happened.
final class Countdown: Sendable {
    private struct State {
        var left: Int
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state: NIOLockedValueBox<State>

    init(_ count: Int) { self.state = NIOLockedValueBox(State(left: count)) }

    func count(_ done: Int = 1) {
        let waiters = self.state.withLockedValue { state -> [CheckedContinuation<Void, Never>] in
            state.left -= done
            guard state.left <= 0 else { return [] }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    func reachesZero() async {
        await withCheckedContinuation { continuation in
            let isOver = self.state.withLockedValue { state in
                if state.left > 0 { state.waiters.append(continuation) }
                return state.left <= 0
            }
            if isOver { continuation.resume() }
        }
    }
}

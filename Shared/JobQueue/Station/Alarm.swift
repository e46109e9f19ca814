internal import NIOConcurrencyHelpers

/// Wakes one loop. Rings that come while nobody waits are kept as one, so none is missed; a wait can have a limit.
final class Alarm: Sendable {
    struct Reasons: OptionSet, Sendable {
        let rawValue: UInt8
        /// A bell of the database: whoever rang has removed our entry among the sleepers.
        static let bell = Reasons(rawValue: 1)
        /// Somebody in this process has work for us; the entry is still there.
        static let neighbour = Reasons(rawValue: 2)
        /// A slot has become free, or something else in this worker has changed.
        static let change = Reasons(rawValue: 4)
    }

    private struct State {
        var reasons: Reasons = []
        var waiter: CheckedContinuation<Void, Never>?
        var isIdle = false
    }

    private let state = NIOLockedValueBox(State())

    /// - Returns: whether the loop was waiting idly, so that it will look at once and has room for what it finds.
    @discardableResult
    func ring(_ reason: Reasons) -> Bool {
        let (waiter, wasIdle) = self.state.withLockedValue { state in
            let wasIdle = state.isIdle && state.reasons.isEmpty
            state.reasons.insert(reason)
            defer { (state.waiter, state.isIdle) = (nil, false) }
            return (state.waiter, wasIdle)
        }
        waiter?.resume()
        return wasIdle
    }

    /// Waits for a ring, or until the limit is over or the task is cancelled: then nothing is in the answer.
    /// - Parameter isIdle: nothing is going on here: a ring leads to work at once.
    func wait(upTo limit: Duration?, isIdle: Bool) async -> Reasons {
        if let reasons = self.take() { return reasons }
        guard let limit else {
            await self.suspend(isIdle: isIdle)
            return self.take() ?? []
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.suspend(isIdle: isIdle) }
            group.addTask { try? await ContinuousClock().sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
        return self.take() ?? []
    }

    private func take() -> Reasons? {
        self.state.withLockedValue { state in
            defer { (state.reasons, state.isIdle) = ([], false) }
            return state.reasons.isEmpty ? nil : state.reasons
        }
    }

    private func suspend(isIdle: Bool) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = self.state.withLockedValue { state in
                    guard state.reasons.isEmpty, !Task.isCancelled else { return true }
                    state.waiter = continuation
                    state.isIdle = isIdle
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            let waiter = self.state.withLockedValue { state in
                defer { (state.waiter, state.isIdle) = (nil, false) }
                return state.waiter
            }
            waiter?.resume()
        }
    }
}

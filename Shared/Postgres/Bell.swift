internal import DequeModule
internal import NIOConcurrencyHelpers

/// What a ``Listener`` hears.
public enum Bell: Hashable, Sendable {
    case notification(channel: String, payload: String)
    /// The connection listens, for the first time or again, or more rang than was kept: anything may have been missed,
    /// so look at the tables.
    case reconnected
}

/// The bells of one listener, without end until the listener is shut down or the task is cancelled. For one consumer.
public struct Bells: AsyncSequence, Sendable {
    let mailbox: Mailbox

    public func makeAsyncIterator() -> Iterator {
        Iterator(mailbox: self.mailbox)
    }

    public struct Iterator: AsyncIteratorProtocol {
        let mailbox: Mailbox

        /// Nil at the end.
        public func next() async -> Bell? {
            await self.mailbox.next()
        }

        public func next(isolation actor: isolated (any Actor)?) async -> Bell? {
            await self.mailbox.next()
        }
    }
}

/// Keeps what rings until it is taken. Equal bells that wait together are one; when too many different ones wait they
/// give way to one ``Bell/reconnected``.
final class Mailbox: Sendable {
    private struct State {
        var waiting = Deque<Bell>()
        var known: Set<Bell> = []
        var consumer: CheckedContinuation<Bell?, Never>?
        var isFinished = false
    }

    private static let limit = 1024
    private let state = NIOLockedValueBox(State())
    private let onEnd: @Sendable () -> Void

    /// - Parameter onEnd: called when nobody can take bells any more.
    init(onEnd: @escaping @Sendable () -> Void) {
        self.onEnd = onEnd
    }

    deinit {
        self.onEnd()
    }

    func ring(_ bell: Bell) {
        let consumer = self.state.withLockedValue { state -> CheckedContinuation<Bell?, Never>? in
            guard !state.isFinished else { return nil }
            if let consumer = state.consumer {
                state.consumer = nil
                return consumer
            }
            guard state.known.insert(bell).inserted else { return nil }
            state.waiting.append(bell)
            if state.waiting.count > Self.limit {
                state.waiting = [.reconnected]
                state.known = [.reconnected]
            }
            return nil
        }
        consumer?.resume(returning: bell)
    }

    func finish() {
        let consumer = self.state.withLockedValue { state in
            state.isFinished = true
            state.waiting = []
            defer { state.consumer = nil }
            return state.consumer
        }
        consumer?.resume(returning: nil)
    }

    func next() async -> Bell? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let now = self.state.withLockedValue { state -> Bell?? in
                    if let bell = state.waiting.popFirst() {
                        state.known.remove(bell)
                        return bell
                    }
                    // One consumer: a second would steal from the first, so it ends.
                    if state.isFinished || state.consumer != nil || Task.isCancelled { return .some(nil) }
                    state.consumer = continuation
                    return nil
                }
                if let now { continuation.resume(returning: now) }
            }
        } onCancel: {
            let consumer = self.state.withLockedValue { state in
                defer { state.consumer = nil }
                return state.consumer
            }
            consumer?.resume(returning: nil)
        }
    }
}

import DequeModule
import Kernel
import NIOConcurrencyHelpers

/// Does together what is asked for at the same time.
///
/// Up to `width` works run at once. Whoever comes while all of them run waits, and one of those who wait then does the
/// work for all of them, in a work of its own size: a caller pays no delay when there is nobody else, and shares a
/// transaction when there are many. There is no task beside those of the callers.
///
/// When a work fails, or the caller who does it is cancelled, each of its other callers does its own part alone: nobody
/// fails by what another brought.
final class Gatherer<Input: Sendable, Output: Sendable>: Sendable {
    private enum Turn {
        /// Do the work, for oneself and for these.
        case lead([Waiter])
        case done(Output)
        /// The work in common failed.
        case alone
    }

    private struct Waiter: Sendable {
        let number: Int
        let input: Input
        let continuation: CheckedContinuation<Turn, any Error>
    }

    private struct State {
        var running = 0
        var lastNumber = 0
        var waiting: Deque<Waiter> = []
    }

    private let width: Int
    private let sizeMax: Int
    private let waitingMax: Int
    private let work: @Sendable ([Input]) async throws -> [Output]
    private let state = NIOLockedValueBox(State())

    /// - Parameters:
    ///   - width: how many works run at once.
    ///   - sizeMax: how many inputs a work takes.
    ///   - waitingMax: how many callers may wait; more are turned away at once.
    ///   - work: one output for each input, in their order.
    init(
        width: Int, sizeMax: Int, waitingMax: Int, work: @escaping @Sendable ([Input]) async throws -> [Output]
    ) {
        (self.width, self.sizeMax, self.waitingMax, self.work) = (width, sizeMax, waitingMax, work)
    }

    /// - Throws: what the work throws for this input alone; ``TooManyWaiting``.
    func callAsFunction(_ input: Input) async throws -> Output {
        switch try await self.turn(for: input) {
        case .done(let output): output
        case .alone: try await self.perform([input])[0]
        case .lead(let followers): try await self.lead(input, followers)
        }
    }

    /// How many wait for their turn.
    var waiting: Int { self.state.withLockedValue { $0.waiting.count } }

    private func turn(for input: Input) async throws -> Turn {
        let number: Int? = self.state.withLockedValue { state in
            if state.running < self.width {
                state.running += 1
                return nil
            }
            state.lastNumber += 1
            return state.lastNumber
        }
        guard let number else { return .lead([]) }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                self.wait(Waiter(number: number, input: input, continuation: continuation))
            }
        } onCancel: {
            self.cancel(number)
        }
    }

    private func wait(_ waiter: Waiter) {
        let turn: Result<Turn, any Error>? = self.state.withLockedValue { state in
            // The last work may have ended since this caller was told to wait.
            if state.running < self.width {
                state.running += 1
                return .success(.lead([]))
            }
            guard state.waiting.count < self.waitingMax else { return .failure(TooManyWaiting()) }
            state.waiting.append(waiter)
            return nil
        }
        if let turn { return waiter.continuation.resume(with: turn) }
        // A cancellation that came before the line above found nobody to take out of the queue.
        if Task.isCancelled { self.cancel(waiter.number) }
    }

    private func cancel(_ number: Int) {
        let waiter: Waiter? = self.state.withLockedValue { state in
            // Whoever is not in the queue has his turn already, and takes it.
            state.waiting.firstIndex { $0.number == number }.map { state.waiting.remove(at: $0) }
        }
        waiter?.continuation.resume(throwing: CancellationError())
    }

    private func lead(_ input: Input, _ followers: [Waiter]) async throws -> Output {
        let outcome: Result<[Output], any Error>
        do {
            outcome = .success(try await self.perform([input] + followers.map(\.input)))
        } catch {
            outcome = .failure(error)
        }
        self.handOver()
        switch outcome {
        case .success(let outputs):
            for (follower, output) in zip(followers, outputs.dropFirst()) {
                follower.continuation.resume(returning: .done(output))
            }
            return outputs[0]
        case .failure(let error):
            for follower in followers { follower.continuation.resume(returning: .alone) }
            guard !followers.isEmpty, !Task.isCancelled else { throw error }
            return try await self.perform([input])[0]
        }
    }

    /// Lets the first of those who wait lead the next work.
    private func handOver() {
        let next: (leader: Waiter, followers: [Waiter])? = self.state.withLockedValue { state in
            guard let leader = state.waiting.popFirst() else {
                state.running -= 1
                return nil
            }
            let followers = Array(state.waiting.prefix(self.sizeMax - 1))
            state.waiting.removeFirst(followers.count)
            return (leader, followers)
        }
        next?.leader.continuation.resume(returning: .lead(next?.followers ?? []))
    }

    private func perform(_ inputs: [Input]) async throws -> [Output] {
        let outputs = try await self.work(inputs)
        precondition(outputs.count == inputs.count, "a work gives one output for each input")
        return outputs
    }
}

/// More callers wait than may: it passes, and the caller comes again.
struct TooManyWaiting: TemporaryFailure {}

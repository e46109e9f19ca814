internal import NIOConcurrencyHelpers

/// The handler did not end in time and was cancelled.
struct DeadlineExceeded: Error {}

/// Somebody has cancelled the job, and its handler with it.
struct JobCancelled: Error {}

/// What holds a running handler: its time, which may be extended, and the word of whoever cancels the job.
final class Leash: Sendable {
    private struct State {
        var deadline: ContinuousClock.Instant
        var isCancelled = false
    }

    private let state: NIOLockedValueBox<State>
    private let alarm = Alarm()

    init(_ deadline: ContinuousClock.Instant) {
        self.state = NIOLockedValueBox(State(deadline: deadline))
    }

    var deadline: ContinuousClock.Instant { self.state.withLockedValue(\.deadline) }

    /// Never to an earlier moment.
    func extend(to deadline: ContinuousClock.Instant) {
        self.state.withLockedValue { $0.deadline = max($0.deadline, deadline) }
        self.alarm.ring(.change)
    }

    /// The handler's task is cancelled now.
    func cancel() {
        self.state.withLockedValue { $0.isCancelled = true }
        self.alarm.ring(.change)
    }

    /// Runs the body, cancels it at the deadline or when the job is cancelled, and returns when it has ended.
    /// - Throws: `DeadlineExceeded` or `JobCancelled` when the body was cancelled for that reason; otherwise what the
    ///   body throws.
    func run<R: Sendable>(_ body: @escaping @Sendable () async throws -> R) async throws -> R {
        try await withThrowingTaskGroup(of: R?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                await self.wait()
                return nil
            }
            defer { group.cancelAll() }
            if let result = try await group.next(), let result { return result }
            group.cancelAll()
            // The body may still have made it; only its failure was our doing.
            if let result = try? await group.next(), let result { return result }
            try Task.checkCancellation()
            if self.state.withLockedValue(\.isCancelled) { throw JobCancelled() }
            throw DeadlineExceeded()
        }
    }

    /// Until the time is over, the job is cancelled, or the task is.
    private func wait() async {
        while !Task.isCancelled {
            let (deadline, isCancelled) = self.state.withLockedValue { ($0.deadline, $0.isCancelled) }
            let left = ContinuousClock.now.duration(to: deadline)
            guard !isCancelled, left > .zero else { return }
            _ = await self.alarm.wait(upTo: left, isIdle: false)
        }
    }
}

/// The handlers that run in this process, so that a word from outside finds the one it is for.
final class RunningJobs: Sendable {
    private let leashes = NIOLockedValueBox<[JobID: Leash]>([:])

    func enter(_ job: JobID, _ leash: Leash) {
        self.leashes.withLockedValue { $0[job] = leash }
    }

    func leave(_ job: JobID) {
        self.leashes.withLockedValue { $0[job] = nil }
    }

    /// Nothing happens when the job does not run here.
    func cancel(_ job: JobID) {
        self.leashes.withLockedValue { $0[job] }?.cancel()
    }
}

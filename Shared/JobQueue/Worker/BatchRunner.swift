internal import Kernel
internal import Logging
internal import Metrics
internal import NIOConcurrencyHelpers
internal import Postgres

/// Runs batches of one queue. The transaction holds the claim: the jobs are deleted from `ready` in it, and come back
/// at once when it does not commit, whatever the reason.
///
/// Only first attempts are taken in batches. After a batch has failed its jobs are leased and run one at a time, so
/// that one bad job fails alone; after a worker has died over a batch each of its jobs runs alone too.
struct BatchRunner: Sendable {
    let runner: JobRunner
    let queue: QueueName
    let plan: WorkerState.Plan
    /// Tells batches of one process apart in what it announces.
    let number: Int16

    /// What became of one batch.
    struct Outcome: Sendable {
        /// Jobs taken from the queue.
        var count = 0
        /// How long it took to find them.
        var searched = Duration.zero
        /// Where the last of them stood.
        var last: QueuePosition?
        /// Jobs that have to run alone now, with the worker that leased them.
        var isolated: [Assignment] = []
        /// The database went away in the middle: the jobs are ready again, and nobody will ring for them.
        var isInterrupted = false
    }

    private var bus: Bus { self.runner.bus }

    /// One batch. Never throws.
    /// - Parameter floor: where to begin the search.
    func runOne(_ joined: Membership.Joined, from floor: QueuePosition?) async -> Outcome {
        let statements = RunStatements(worker: joined.worker)
        let expires = ContinuousClock.now.advanced(by: self.plan.lease)
        let taken = Taken()
        do {
            if self.plan.isAdmitted {
                try await self.bus.database.execute(statements.letIn(self.plan.number, limit: self.plan.batchLimit * 2))
            }
            try await Leash(expires).run {
                try await self.bus.database.transaction { transaction in
                    let asked = ContinuousClock.now
                    let jobs = try await statements.take(
                        self.plan.number, limit: self.plan.batchLimit, from: floor, in: transaction)
                    guard !jobs.isEmpty else { return }
                    taken.set(jobs, after: ContinuousClock.now - asked)
                    // Before the handler can do harm, and outside of the transaction, which dies with us.
                    try await joined.control.execute(
                        statements.announce(self.number, self.plan.number, jobs))
                    try await self.perform(jobs, statements, transaction)
                }
            }
            return Outcome(count: taken.jobs.count, searched: taken.searched, last: taken.jobs.last?.place)
        } catch {
            return await self.failed(taken.jobs, error, statements)
        }
    }

    private func perform(
        _ jobs: [ClaimedJob], _ statements: RunStatements, _ transaction: borrowing Transaction
    ) async throws {
        let started = ContinuousClock.now
        let now = self.bus.clock.now
        let expired = jobs.filter { $0.deadline.map { $0 < now } ?? false }
        let timely = jobs.filter { $0.deadline.map { $0 >= now } ?? true }
        let (known, unknown) = self.runner.sort(timely, of: self.queue)
        try await self.runner.perform(known, of: self.queue, in: transaction)
        let done = known.flatMap(\.jobs)
        if !expired.isEmpty { transaction.last(statements.expireTaken(self.plan.number, expired)) }
        transaction.last(statements.finish(self.plan.number, done))
        if !unknown.isEmpty {
            self.bus.logger.info("Unknown kinds of jobs wait", metadata: ["queue.name": "\(self.queue)"])
            transaction.last(statements.setAside(self.plan.number, unknown, for: JobRunner.unknownDelay))
        }
        transaction.afterCommit {
            self.runner.batchDone(done, of: self.queue, since: started)
            self.runner.batchEnded(expired, .cancelled, of: self.queue)
            self.runner.batchEnded(unknown, .postponed, of: self.queue)
        }
    }

    private func failed(_ jobs: [ClaimedJob], _ error: any Error, _ statements: RunStatements) async -> Outcome {
        guard !error.isOutage, !error.isUnknownWorker else { return Outcome(isInterrupted: true) }
        // Taken none, or stopping: the rows are ready again, and that is all.
        guard !jobs.isEmpty, !Task.isCancelled else { return Outcome() }
        let failure = error is DeadlineExceeded ? Failure.timeout : Failure(error)
        self.bus.logger.info(
            "Batch failed; its jobs run alone",
            metadata: [
                "queue.name": "\(self.queue)", "queue.jobs": "\(jobs.count)", "error": "\(failure.code)",
                "error.detail": "\(failure.detail ?? "-")",
            ])
        let expires = ContinuousClock.now.advanced(by: self.plan.lease)
        do {
            let row = try await self.bus.database.one(statements.isolate(self.plan.number, jobs))
            let leased = Set(try row.value(at: 0, as: [Int64].self))
            let alone = jobs.filter { leased.contains($0.id.raw) }.map {
                Assignment(job: $0, worker: statements.worker, expires: expires)
            }
            return Outcome(count: jobs.count, isolated: alone)
        } catch {
            return Outcome(isInterrupted: true)
        }
    }

    /// The jobs of the batch, out of the transaction's closure.
    private final class Taken: Sendable {
        private let box = NIOLockedValueBox<(jobs: [ClaimedJob], searched: Duration)>(([], .zero))
        var jobs: [ClaimedJob] { self.box.withLockedValue { $0.jobs } }
        var searched: Duration { self.box.withLockedValue { $0.searched } }
        func set(_ jobs: [ClaimedJob], after searched: Duration) {
            self.box.withLockedValue { $0 = (jobs, searched) }
        }
    }
}

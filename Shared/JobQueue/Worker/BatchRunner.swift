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
                    let jobs = try await statements.take(
                        self.plan.number, limit: self.plan.batchLimit, from: floor, in: transaction)
                    guard !jobs.isEmpty else { return }
                    taken.set(jobs)
                    // Before the handler can do harm, and outside of the transaction, which dies with us.
                    try await joined.control.execute(
                        statements.announce(self.number, self.plan.number, jobs))
                    try await self.perform(jobs, statements, transaction)
                }
            }
            return Outcome(count: taken.jobs.count, last: taken.jobs.last?.place)
        } catch {
            return await self.failed(taken.jobs, error, statements)
        }
    }

    private func perform(
        _ jobs: [ClaimedJob], _ statements: RunStatements, _ transaction: borrowing Transaction
    ) async throws {
        let handlers = self.runner.handlers[self.queue] ?? [:]
        let started = ContinuousClock.now
        var done: [ClaimedJob] = []
        var unknown: [ClaimedJob] = []
        let now = self.bus.clock.now
        let expired = jobs.filter { $0.deadline.map { $0 < now } ?? false }
        for (kind, group) in Self.groups(jobs.filter { $0.deadline.map { $0 >= now } ?? true }) {
            guard let handler = handlers[kind], case .batch(_, let body) = handler.body else {
                unknown += group
                continue
            }
            let known = group.filter { $0.version <= handler.version }
            unknown += group.filter { $0.version > handler.version }
            guard let first = known.first else { continue }
            let deliveries = known.map { self.runner.delivery($0, of: self.queue) }
            try await TraceContext.$current.withValue(self.runner.trace(of: first)) {
                try await self.bus.middleware.run(deliveries.map(\.context), of: kind) {
                    try await body(deliveries, transaction)
                }
            }
            done += known
        }
        if !expired.isEmpty { transaction.last(statements.expireTaken(self.plan.number, expired)) }
        transaction.last(statements.finish(self.plan.number, done))
        if !unknown.isEmpty {
            self.bus.logger.info("Unknown kinds of jobs wait", metadata: ["queue.name": "\(self.queue)"])
            transaction.last(statements.setAside(self.plan.number, unknown, for: JobRunner.unknownDelay))
        }
        let metrics = self.runner.metrics[self.queue]
        let ended = [(JobEnding.completed, done), (.cancelled, expired), (.postponed, unknown)]
        transaction.afterCommit {
            metrics?.batchSize.record(ended[0].1.count)
            metrics?.run.recordSeconds((ContinuousClock.now - started).inSeconds)
            for (ending, jobs) in ended where !jobs.isEmpty { self.ended(jobs, ending, metrics) }
        }
    }

    private func ended(_ jobs: [ClaimedJob], _ ending: JobEnding, _ metrics: QueueMetrics?) {
        metrics?.count(ending, jobs: jobs.count)
        guard !self.bus.middleware.isEmpty else { return }
        for (kind, group) in Self.groups(jobs) {
            self.bus.middleware.ended(
                group.map { self.runner.delivery($0, of: self.queue).context }, of: kind, ending)
        }
    }

    /// Kinds in the order in which they first appear; the order of sending within a kind.
    static func groups(_ jobs: [ClaimedJob]) -> [(kind: String, jobs: [ClaimedJob])] {
        var groups: [(kind: String, jobs: [ClaimedJob])] = []
        var positions: [String: Int] = [:]
        for job in jobs {
            if let position = positions[job.kind] {
                groups[position].jobs.append(job)
            } else {
                positions[job.kind] = groups.count
                groups.append((job.kind, [job]))
            }
        }
        return groups
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
        private let box = NIOLockedValueBox<[ClaimedJob]>([])
        var jobs: [ClaimedJob] { self.box.withLockedValue { $0 } }
        func set(_ jobs: [ClaimedJob]) { self.box.withLockedValue { $0 = jobs } }
    }
}

internal import Kernel
internal import Logging
internal import Metrics
internal import Postgres

/// Runs batches where no session lasts (``Listening/pollOnly``): the jobs are leased before, like single ones, and their
/// completion is the fence at the end of the handler's transaction.
///
/// ``BatchRunner`` says in a second session what its transaction holds. Behind a pooler with as many sessions as there
/// are batches, each batch would have one and wait for another. Here a batch needs the session of its transaction and
/// no other. The price: what a process held that died comes back when it is declared dead, and not at once.
struct LeasedBatchRunner: Sendable {
    let runner: JobRunner
    let queue: QueueName
    let lease: Duration

    private var bus: Bus { self.runner.bus }

    /// One batch, of first attempts that were claimed under one number. Never throws.
    /// - Returns: those that have to run alone now: a batch of one, jobs that are not for a batch, and all of a batch that
    ///   failed.
    func run(_ batch: [Assignment]) async -> [Assignment] {
        guard batch.count > 1, let first = batch.first else { return batch }
        let now = self.bus.clock.now
        let timely = batch.map(\.job).filter { $0.deadline.map { $0 >= now } ?? true }
        let known = self.runner.sort(timely, of: self.queue).known
        let jobs = known.flatMap(\.jobs)
        guard !jobs.isEmpty else { return batch }
        let statements = RunStatements(worker: first.worker)
        let started = ContinuousClock.now
        do {
            let expires = batch.map(\.expires).min() ?? first.expires
            try await Leash(expires).run {
                try await self.bus.database.transaction { transaction in
                    try await self.runner.perform(known, of: self.queue, in: transaction)
                    let row = try await transaction.one(statements.complete(jobs))
                    // Some were given to others: what was done for them must not be.
                    guard try row.value(at: 0, as: [Int64].self).count == jobs.count else { throw LostLease() }
                }
            }
            self.runner.batchDone(jobs, of: self.queue, since: started)
            let done = Set(jobs.map(\.id))
            return batch.filter { !done.contains($0.job.id) }
        } catch {
            return await self.failed(batch, error, statements)
        }
    }

    private func failed(_ batch: [Assignment], _ error: any Error, _ statements: RunStatements) async -> [Assignment] {
        let jobs = batch.map(\.job)
        if error.isUnknownWorker {
            self.bus.metrics.fenced.increment()
            self.runner.batchEnded(jobs, .lost, of: self.queue)
            return []
        }
        if error.isOutage || Task.isCancelled, let first = batch.first {
            // The jobs have done nothing wrong. What was committed after all is passed over.
            if await self.runner.settle(first, statements.giveBack(jobs)) != nil {
                self.runner.batchEnded(jobs, .givenBack, of: self.queue)
            }
            return []
        }
        if error.isLostLease { self.bus.metrics.fenced.increment() }
        let failure = error is DeadlineExceeded ? Failure.timeout : Failure(error)
        self.bus.logger.info(
            "Batch failed; its jobs run alone",
            metadata: [
                "queue.name": "\(self.queue)", "queue.jobs": "\(jobs.count)", "error": "\(failure.code)",
                "error.detail": "\(failure.detail ?? "-")",
            ])
        return await self.renew(batch, statements)
    }

    /// Each gets the time of a job of its own. Those that are not ours any more are left out.
    private func renew(_ batch: [Assignment], _ statements: RunStatements) async -> [Assignment] {
        let expires = ContinuousClock.now.advanced(by: self.lease)
        do {
            let row = try await self.bus.database.one(statements.extend(batch.map(\.job), by: self.lease))
            let ours = Set(try row.value(at: 0, as: [Int64].self))
            return batch.filter { ours.contains($0.job.id.raw) }.map {
                Assignment(job: $0.job, worker: $0.worker, expires: expires)
            }
        } catch {
            return batch
        }
    }
}

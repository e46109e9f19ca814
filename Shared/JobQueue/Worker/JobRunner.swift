internal import Kernel
internal import Logging
internal import Metrics
internal import Postgres

/// Runs claimed jobs, one at a time each, and settles them: completed, failed, postponed or given back.
struct JobRunner: Sendable {
    /// How long a job waits whose kind or version this process does not know: a newer process of the service will.
    static let unknownDelay = Duration.seconds(5)
    static let outagePause = Duration.milliseconds(200)
    /// How long a job waits that could not even begin, for want of a connection.
    static let congestionDelay = Duration.seconds(1)

    let bus: Bus
    /// By queue, then by kind.
    let handlers: [QueueName: [String: Handler]]
    let metrics: [QueueName: QueueMetrics]
    let chores: Alarm
    let completions: CompletionBuffer

    /// Never throws: whatever happens to a job is written down with it.
    func run(_ assignment: Assignment) async {
        let job = assignment.job
        let statements = RunStatements(worker: assignment.worker)
        guard let queue = self.bus.directory.name(of: job.queue), let metrics = self.metrics[queue] else { return }
        guard let handler = self.handlers[queue]?[job.kind], job.version <= handler.version else {
            self.bus.logger.info("Unknown kind of job waits", metadata: ["queue.kind": "\(job.kind)"])
            await self.settle(assignment, statements.postpone(job, for: Self.unknownDelay), as: .postponed, metrics)
            return
        }
        if let deadline = job.deadline, deadline < self.bus.clock.now, job.replyTo == nil {
            // Nobody wants it any more. A call is another matter: its deadline is the caller's patience.
            await self.settle(assignment, statements.expire(job), as: .cancelled, metrics)
            return
        }
        let started = ContinuousClock.now
        if job.attempt == 1 { metrics.wait.recordSeconds(self.age(of: job.id)) }
        let leash = Leash(assignment.expires)
        self.bus.running.enter(job.id, leash)
        do {
            let tether = Tether(job, statements, self.bus.database, leash) {
                try self.seal($0, .result(of: job.id.raw), job)
            }
            let delivery = self.delivery(job, of: queue, tether)
            try await leash.run {
                try await self.perform(job, delivery, handler, statements)
            }
            self.ended(job, .completed, metrics)
        } catch {
            await self.failed(assignment, error, statements, metrics)
        }
        self.bus.running.leave(job.id)
        metrics.run.recordSeconds((ContinuousClock.now - started).inSeconds)
    }

    func delivery(_ job: ClaimedJob, of queue: QueueName, _ tether: Tether? = nil) -> Handler.Delivery {
        Handler.Delivery(
            context: JobContext(
                id: job.id, queue: queue, attempt: Int(job.attempt), enqueuedAt: job.id.time, cause: job.cause,
                traceparent: job.headers.traceparent, deadline: job.deadline, scheduledFor: job.headers.scheduledFor,
                tether: tether),
            arguments: job.arguments,
            open: { [cipher = self.bus.cipher, isEncrypted = self.bus.directory.entry(of: job.queue)?.isEncrypted] in
                try cipher.open(
                    $0, .arguments(kind: job.kind, version: job.version), isEncrypted: isEncrypted ?? false)
            })
    }

    /// As the job's queue keeps it.
    private func seal(_ json: RawJSON, _ place: MessageCipher.Place, _ job: ClaimedJob) throws -> RawJSON {
        guard let queue = self.bus.directory.entry(of: job.queue) else { return json }
        return try self.bus.cipher.seal(json, place, queue)
    }

    /// The handler with everything that belongs to its job around it.
    private func perform(
        _ job: ClaimedJob, _ delivery: Handler.Delivery, _ handler: Handler, _ statements: RunStatements
    ) async throws {
        try await JobContext.$current.withValue(delivery.context) {
            try await TraceContext.$current.withValue(self.trace(of: job)) {
                try await self.bus.middleware.run([delivery.context], of: job.kind) {
                    try await self.call(handler, job, delivery, statements)
                }
            }
        }
    }

    private func call(
        _ handler: Handler, _ job: ClaimedJob, _ delivery: Handler.Delivery, _ statements: RunStatements
    ) async throws {
        let database = self.bus.database
        switch handler.body {
        case .transactional(let body):
            try await database.transaction { transaction in
                try await body(delivery, transaction)
                transaction.last(statements.complete(job, delivery.context.tether?.result))
            }
        case .batch(_, let body):
            try await database.transaction { transaction in
                try await body([delivery], transaction)
                transaction.last(statements.complete(job))
            }
        case .reply(let body):
            try await database.transaction { transaction in
                let answer = try await body(delivery, transaction)
                transaction.last(statements.answer(job, try self.seal(answer, .answer(to: job.id.raw), job)))
                guard let instance = job.replyTo else { return }
                transaction.afterCommit { [doorbell = self.bus.doorbell] in doorbell.ring(instance: instance) }
            }
        case .leased(.single, let body):
            try await body(delivery)
            try await database.execute(statements.complete(job, delivery.context.tether?.result))
        case .leased(.batched, let body):
            try await body(delivery)
            try await self.completions.complete(job, statements)
        }
    }

    // MARK: Failure

    private func failed(
        _ assignment: Assignment, _ error: any Error, _ statements: RunStatements, _ metrics: QueueMetrics
    ) async {
        let job = assignment.job
        if error.isLostLease || error.isUnknownWorker {
            self.bus.metrics.fenced.increment()
            self.ended(job, .lost, metrics)
            return
        }
        if Task.isCancelled {
            // This process stops; the job has done nothing wrong.
            await self.settle(assignment, statements.giveBack([job]), as: .givenBack, metrics)
            return
        }
        if error.isCongestion {
            await self.settle(assignment, statements.postpone(job, for: Self.congestionDelay), as: .postponed, metrics)
            return
        }
        let failure = error is DeadlineExceeded ? .timeout : Failure(error)
        if let delay = failure.snooze {
            await self.settle(assignment, statements.postpone(job, for: delay), as: .postponed, metrics)
            if delay < Chores.interval { self.chores.ring(.change) }
            return
        }
        self.bus.logger.info(
            "Job failed",
            metadata: [
                "queue.job": "\(job.id)", "queue.kind": "\(job.kind)", "queue.attempt": "\(job.attempt)",
                "error": "\(failure.code)", "error.detail": "\(failure.detail ?? "-")",
            ])
        guard let row = await self.settle(assignment, statements.fail(job, failure))?.first else { return }
        if let delay = try? row.value(at: 1, as: Int64?.self) {
            self.ended(job, .failed(code: failure.code), metrics)
            if Duration.milliseconds(delay) < Chores.interval { self.chores.ring(.change) }
        } else {
            let isCancelled = (try? row.value(at: 0, as: Int16.self)) == 5
            self.ended(job, isCancelled ? .cancelled : .dead(code: failure.code), metrics)
            if let instance = job.replyTo { self.bus.doorbell.ring(instance: instance) }
        }
    }

    private func settle(
        _ assignment: Assignment, _ sql: SQL, as ending: JobEnding, _ metrics: QueueMetrics
    ) async {
        guard await self.settle(assignment, sql) != nil else { return }
        self.ended(assignment.job, ending, metrics)
    }

    /// Counts it, and tells whoever wants to know.
    private func ended(_ job: ClaimedJob, _ ending: JobEnding, _ metrics: QueueMetrics) {
        metrics.count(ending)
        guard !self.bus.middleware.isEmpty, let queue = self.bus.directory.name(of: job.queue) else { return }
        self.bus.middleware.ended([self.delivery(job, of: queue).context], of: job.kind, ending)
    }

    /// Writes down what became of a job, for as long as it is ours to say. While the database is away it is tried again;
    /// what cannot be said before the lease ends is said by whoever rescues the job.
    @discardableResult
    func settle(_ assignment: Assignment, _ sql: SQL) async -> QueryResult? {
        let database = self.bus.database
        // Unowned: a job must also be given back by a task that was cancelled.
        return await Task { () -> QueryResult? in
            while true {
                do {
                    return try await database.run(sql)
                } catch  where error.isOutage && ContinuousClock.now < assignment.expires {
                    try? await ContinuousClock().sleep(for: Self.outagePause)
                } catch {
                    if error.isLostLease || error.isUnknownWorker { self.bus.metrics.fenced.increment() }
                    return nil
                }
            }
        }.value
    }

    // MARK: Context

    func trace(of job: ClaimedJob) -> TraceContext? {
        job.headers.traceparent.flatMap(TraceContext.init(traceparent:))?.child(random: self.bus.random)
    }

    /// Seconds since the job was sent; 0 when the clocks of the machines disagree.
    private func age(of id: JobID) -> Double {
        max(0, (self.bus.clock.now - id.time).inSeconds)
    }
}

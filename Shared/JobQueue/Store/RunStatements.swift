internal import Kernel
internal import Postgres

/// The statements of workers.
struct RunStatements: Sendable {
    let worker: Int32

    func claim(_ requests: [ClaimRequest], on runner: some QueryRunner) async throws -> ClaimResult {
        let rows = try await runner.run(
            """
            select id, attempt, queue_id, kind, version, args, headers ->> 'traceparent', cause_id, reply_to, deadline,
                priority, rank, wait_ms, headers ->> 'scheduled-for'
            from queue.look(
                \(self.worker), \(requests.map(\.queue)), \(requests.map { Int32(clamping: $0.limit) }),
                \(requests.map(\.isBatched)), \(requests.map { $0.floor?.priority ?? -1 }),
                \(requests.map { $0.floor?.rank ?? 0 }), \(requests.map(\.asks)))
            """)
        var result = ClaimResult()
        result.jobs.reserveCapacity(rows.count)
        for row in rows {
            guard let id = try row.value(at: 0, as: Int64?.self) else {
                let queue = try row.value(at: 2, as: Int16.self)
                if let wait = try row.value(at: 12, as: Int64?.self) {
                    result.resting[queue] = .milliseconds(wait)
                } else {
                    result.waiting.insert(queue)
                }
                continue
            }
            result.jobs.append(
                ClaimedJob(
                    id: JobID(id), attempt: try row.value(at: 1), queue: try row.value(at: 2),
                    kind: try row.value(at: 3), version: Int(try row.value(at: 4, as: Int16.self)),
                    arguments: try row.value(at: 5, as: JSONBytes.self).bytes,
                    headers: JobHeaders(
                        traceparent: try row.value(at: 6),
                        scheduledFor: try row.value(at: 13, as: String?.self).flatMap(Timestamp.init)),
                    cause: try row.value(at: 7, as: Int64?.self).map { JobID($0) }, replyTo: try row.value(at: 8),
                    deadline: try row.value(at: 9),
                    place: QueuePosition(priority: try row.value(at: 10), rank: try row.value(at: 11))))
        }
        return result
    }

    func take(
        _ queue: Int16, limit: Int, from floor: QueuePosition?, in transaction: borrowing Transaction
    ) async throws -> [ClaimedJob] {
        try await transaction.run(
            """
            select id, kind, version, args, headers ->> 'traceparent', cause_id, deadline, priority, rank, aseq,
                headers ->> 'scheduled-for'
            from queue.take(
                \(self.worker), \(queue), \(Int32(clamping: limit)), \(floor?.priority ?? -1), \(floor?.rank ?? 0))
            """
        ).map { row in
            ClaimedJob(
                id: JobID(try row.value(at: 0, as: Int64.self)), attempt: 1, queue: queue, kind: try row.value(at: 1),
                version: Int(try row.value(at: 2, as: Int16.self)),
                arguments: try row.value(at: 3, as: JSONBytes.self).bytes,
                headers: JobHeaders(
                    traceparent: try row.value(at: 4),
                    scheduledFor: try row.value(at: 10, as: String?.self).flatMap(Timestamp.init)),
                cause: try row.value(at: 5, as: Int64?.self).map { JobID($0) }, replyTo: nil,
                deadline: try row.value(at: 6),
                place: QueuePosition(priority: try row.value(at: 7), rank: try row.value(at: 8)),
                admission: try row.value(at: 9))
        }
    }

    // MARK: Batches

    func letIn(_ queue: Int16, limit: Int) -> SQL {
        "select queue.let_in(\(self.worker), \(queue), \(Int32(clamping: limit)))"
    }

    func announce(_ runner: Int16, _ queue: Int16, _ jobs: [ClaimedJob]) -> SQL {
        """
        select queue.announce(
            \(self.worker), \(runner), \(queue), \(jobs.map(\.id.raw)), \(jobs.map(\.place.rank)))
        """
    }

    func finish(_ queue: Int16, _ jobs: [ClaimedJob]) -> SQL {
        "select queue.finish(\(self.worker), \(queue), \(jobs.map(\.id.raw)), \(Self.admissions(jobs)))"
    }

    func setAside(_ queue: Int16, _ jobs: [ClaimedJob], for delay: Duration) -> SQL {
        """
        select queue.set_aside(
            \(self.worker), \(queue), \(jobs.map(\.id.raw)), \(delay.wholeMilliseconds), \(Self.admissions(jobs)))
        """
    }

    func expireTaken(_ queue: Int16, _ jobs: [ClaimedJob]) -> SQL {
        "select queue.expire_taken(\(self.worker), \(queue), \(jobs.map(\.id.raw)), \(Self.admissions(jobs)))"
    }

    func isolate(_ queue: Int16, _ jobs: [ClaimedJob]) -> SQL {
        "select queue.isolate(\(self.worker), \(queue), \(jobs.map(\.id.raw)), \(jobs.map(\.place.rank)))"
    }

    /// nil when no job has a key to hand on, which spares an array of nulls.
    private static func admissions(_ jobs: [ClaimedJob]) -> [Int64?]? {
        jobs.contains { $0.admission != nil } ? jobs.map(\.admission) : nil
    }

    // MARK: Single jobs

    func complete(_ job: ClaimedJob, _ result: RawJSON? = nil) -> SQL {
        "select queue.complete(\(self.worker), \(job.id.raw), \(job.attempt), \(result))"
    }

    func complete(_ jobs: [ClaimedJob]) -> SQL {
        "select queue.complete_many(\(self.worker), \(jobs.map(\.id.raw)), \(jobs.map(\.attempt)))"
    }

    func expire(_ job: ClaimedJob) -> SQL {
        "select queue.expire(\(self.worker), \(job.id.raw), \(job.attempt))"
    }

    func extend(_ job: ClaimedJob, by time: Duration) -> SQL {
        "select queue.extend(\(self.worker), \(job.id.raw), \(job.attempt), \(time.wholeMilliseconds))"
    }

    /// Answers the jobs that are still ours.
    func extend(_ jobs: [ClaimedJob], by time: Duration) -> SQL {
        """
        select coalesce(array_agg(j.id), '{}')
        from unnest(\(jobs.map(\.id.raw)), \(jobs.map(\.attempt))) j(id, attempt)
        where queue.extend(\(self.worker), j.id, j.attempt, \(time.wholeMilliseconds))
        """
    }

    func report(_ job: ClaimedJob, _ progress: JobProgress) -> SQL {
        """
        select queue.report(
            \(self.worker), \(job.id.raw), \(job.attempt), \(progress.done), \(progress.total), \(progress.note))
        """
    }

    func answer(_ job: ClaimedJob, _ body: RawJSON) -> SQL {
        "select queue.answer(\(self.worker), \(job.id.raw), \(job.attempt), \(body))"
    }

    func fail(_ job: ClaimedJob, _ failure: Failure) -> SQL {
        """
        select state, delay_ms
        from queue.fail(
            \(self.worker), \(job.id.raw), \(job.attempt), \(failure.record), \(failure.isPermanent),
            \(failure.retryAfter?.wholeMilliseconds))
        """
    }

    func postpone(_ job: ClaimedJob, for delay: Duration) -> SQL {
        "select queue.postpone(\(self.worker), \(job.id.raw), \(job.attempt), \(delay.wholeMilliseconds))"
    }

    func giveBack(_ jobs: [ClaimedJob]) -> SQL {
        "select queue.give_back(\(self.worker), \(jobs.map(\.id.raw)), \(jobs.map(\.attempt)))"
    }

    func disown(allBut known: [JobID]) -> SQL {
        "select queue.disown(\(self.worker), \(known.map(\.raw)))"
    }
}

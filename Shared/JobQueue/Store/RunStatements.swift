internal import Kernel
internal import Postgres

/// A job that this worker has leased.
struct ClaimedJob: Sendable {
    let id: JobID
    let attempt: Int16
    let queue: Int16
    let kind: String
    let version: Int
    let arguments: [UInt8]
    let traceparent: String?
    let cause: JobID?
    /// The process that waits for the answer.
    let replyTo: Int32?
    let deadline: Timestamp?
}

/// What one look into the queues brought.
struct ClaimResult: Sendable {
    var jobs: [ClaimedJob] = []
    /// Batched queues in which there is something to take.
    var waiting: Set<Int16> = []
}

/// What a worker asks for of one queue.
struct ClaimRequest: Sendable, Equatable {
    let queue: Int16
    let limit: Int
    let isBatched: Bool
}

/// The statements of workers.
struct RunStatements: Sendable {
    let worker: Int32

    func claim(_ requests: [ClaimRequest], on runner: some QueryRunner) async throws -> ClaimResult {
        let rows = try await runner.run(
            """
            select id, attempt, queue_id, kind, version, args, headers ->> 'traceparent', cause_id, reply_to, deadline
            from queue.claim(
                \(self.worker), \(requests.map(\.queue)), \(requests.map { Int32(clamping: $0.limit) }),
                \(requests.map(\.isBatched)))
            """)
        var result = ClaimResult()
        result.jobs.reserveCapacity(rows.count)
        for row in rows {
            guard let id = try row.value(at: 0, as: Int64?.self) else {
                result.waiting.insert(try row.value(at: 2))
                continue
            }
            result.jobs.append(
                ClaimedJob(
                    id: JobID(id), attempt: try row.value(at: 1), queue: try row.value(at: 2),
                    kind: try row.value(at: 3), version: Int(try row.value(at: 4, as: Int16.self)),
                    arguments: try row.value(at: 5, as: JSONBytes.self).bytes, traceparent: try row.value(at: 6),
                    cause: try row.value(at: 7, as: Int64?.self).map { JobID($0) }, replyTo: try row.value(at: 8),
                    deadline: try row.value(at: 9)))
        }
        return result
    }

    func take(_ queue: Int16, limit: Int, in transaction: borrowing Transaction) async throws -> [ClaimedJob] {
        try await transaction.run(
            """
            select id, kind, version, args, headers ->> 'traceparent', cause_id
            from queue.take(\(self.worker), \(queue), \(Int32(clamping: limit)))
            """
        ).map { row in
            ClaimedJob(
                id: JobID(try row.value(at: 0, as: Int64.self)), attempt: 1, queue: queue, kind: try row.value(at: 1),
                version: Int(try row.value(at: 2, as: Int16.self)),
                arguments: try row.value(at: 3, as: JSONBytes.self).bytes, traceparent: try row.value(at: 4),
                cause: try row.value(at: 5, as: Int64?.self).map { JobID($0) }, replyTo: nil, deadline: nil)
        }
    }

    func announce(_ runner: Int16, _ queue: Int16, _ ids: [JobID]) -> SQL {
        "select queue.announce(\(self.worker), \(runner), \(queue), \(ids.map(\.raw)))"
    }

    func finish(_ queue: Int16, _ ids: [JobID]) -> SQL {
        "select queue.finish(\(self.worker), \(queue), \(ids.map(\.raw)))"
    }

    func setAside(_ queue: Int16, _ ids: [JobID], for delay: Duration) -> SQL {
        "select queue.set_aside(\(self.worker), \(queue), \(ids.map(\.raw)), \(delay.wholeMilliseconds))"
    }

    func isolate(_ queue: Int16, _ ids: [JobID]) -> SQL {
        "select queue.isolate(\(self.worker), \(queue), \(ids.map(\.raw)))"
    }

    func complete(_ job: ClaimedJob) -> SQL {
        "select queue.complete(\(self.worker), \(job.id.raw), \(job.attempt))"
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

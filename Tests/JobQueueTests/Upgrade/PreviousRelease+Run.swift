import JobQueue
import Kernel
import Postgres

/// How a process of the release before runs jobs, and what its operator asks.
extension PreviousRelease {
    func claim(_ queue: Int16, _ limit: Int32 = 1, isBatched: Bool = false) async throws -> Look {
        let rows = try await self.database.query(
            """
            select id, attempt, queue_id, kind, version, args, headers ->> 'traceparent', cause_id, reply_to, deadline
            from queue.claim(
                \(self.worker), \([queue]), \([limit]),
                \([isBatched]))
            """)
        var look = Look()
        for row in rows {
            guard let id = try row.value(at: 0, as: Int64?.self) else {
                look.waiting.insert(try row.value(at: 2))
                continue
            }
            _ = try row.value(at: 3, as: String.self)
            _ = try row.value(at: 4, as: Int16.self)
            _ = try row.value(at: 5, as: RawJSON.self)
            _ = try row.value(at: 6, as: String?.self)
            _ = try row.value(at: 7, as: Int64?.self)
            _ = try row.value(at: 8, as: Int32?.self)
            _ = try row.value(at: 9, as: Timestamp?.self)
            look.jobs.append(Claimed(id: id, attempt: try row.value(at: 1)))
        }
        return look
    }

    /// The one job that there is to claim.
    func claimOne(_ queue: Int16) async throws -> Claimed {
        let jobs = try await self.claim(queue).jobs
        guard let job = jobs.first else { throw Boom() }
        return job
    }

    func take(_ queue: Int16, limit: Int, in transaction: borrowing Transaction) async throws -> [Int64] {
        try await transaction.query(
            """
            select id, kind, version, args, headers ->> 'traceparent', cause_id
            from queue.take(\(self.worker), \(queue), \(Int32(clamping: limit)))
            """
        ).map { row in
            _ = try row.value(at: 1, as: String.self)
            _ = try row.value(at: 2, as: Int16.self)
            _ = try row.value(at: 3, as: RawJSON.self)
            _ = try row.value(at: 4, as: String?.self)
            _ = try row.value(at: 5, as: Int64?.self)
            return try row.value(at: 0)
        }
    }

    func announce(_ queue: Int16, _ ids: [Int64], runner: Int16 = 0) -> SQL {
        "select queue.announce(\(self.worker), \(runner), \(queue), \(ids))"
    }

    func finish(_ queue: Int16, _ ids: [Int64]) -> SQL {
        "select queue.finish(\(self.worker), \(queue), \(ids))"
    }

    func setAside(_ queue: Int16, _ ids: [Int64], for delay: Int64) -> SQL {
        "select queue.set_aside(\(self.worker), \(queue), \(ids), \(delay))"
    }

    /// The jobs that are leased by this process now.
    func isolate(_ queue: Int16, _ ids: [Int64]) async throws -> [Int64] {
        try await self.database.one("select queue.isolate(\(self.worker), \(queue), \(ids))").value(at: 0)
    }

    func complete(_ job: Claimed) -> SQL {
        "select queue.complete(\(self.worker), \(job.id), \(job.attempt))"
    }

    func answer(_ job: Claimed, _ body: String) async throws {
        try await self.database.execute(
            "select queue.answer(\(self.worker), \(job.id), \(job.attempt), \(RawJSON(body)))")
    }

    /// What follows: 3 another attempt, 4 dead.
    @discardableResult
    func fail(_ job: Claimed, isPermanent: Bool = false, retryAfter: Int64? = nil) async throws -> Int16 {
        let row = try await self.database.one(
            """
            select state, delay_ms
            from queue.fail(
                \(self.worker), \(job.id), \(job.attempt), \(RawJSON(#"{"code": "boom"}"#)), \(isPermanent),
                \(retryAfter))
            """)
        _ = try row.value(at: 1, as: Int64?.self)
        return try row.value(at: 0)
    }

    func postpone(_ job: Claimed, for delay: Int64) async throws {
        try await self.database.execute(
            "select queue.postpone(\(self.worker), \(job.id), \(job.attempt), \(delay))")
    }

    func giveBack(_ jobs: [Claimed]) async throws -> [Int16] {
        try await self.database.one(
            "select queue.give_back(\(self.worker), \(jobs.map(\.id)), \(jobs.map(\.attempt)))"
        ).value(at: 0)
    }

    func disown(allBut known: [Int64]) async throws {
        try await self.database.execute("select queue.disown(\(self.worker), \(known))")
    }

    // MARK: The operator

    /// A line of `club queue stats`, by the names of its columns.
    func stats(_ queue: QueueName) async throws -> (ready: Int, deferred: Int, running: Int, dead: Int)? {
        let rows = try await self.database.query("select * from queue.stats() where name = \(queue.text)")
        guard let row = rows.first else { return nil }
        _ = try row.value("id", as: Int16.self)
        _ = try row.value("owner_service", as: String.self)
        _ = try row.value("paused_at", as: Timestamp?.self)
        _ = try row.value("oldest_ready_ms", as: Int64?.self)
        _ = try row.value("workers", as: Int.self)
        return (
            try row.value("ready"), try row.value("deferred"), try row.value("running"), try row.value("dead")
        )
    }

    func dead(_ queue: Int16) async throws -> [Int64] {
        let rows = try await self.database.query("select * from queue.dead(\(queue), \(Int32(50)), \(Int64?.none))")
        return try rows.map { row in
            _ = try row.value("kind", as: String.self)
            _ = try row.value("attempt", as: Int16.self)
            _ = try row.value("at", as: Timestamp.self)
            _ = try row.value("error", as: RawJSON?.self)
            return try row.value("id")
        }
    }

    func redrive(_ queue: Int16, _ ids: [Int64]) async throws -> Int32 {
        try await self.database.one("select queue.redrive(\(queue), \(ids), \("a test"))").value(at: 0)
    }

    func pause(_ queue: Int16) async throws {
        try await self.database.execute("select queue.pause(\(queue), \("a test"))")
    }

    func resume(_ queue: Int16) async throws {
        try await self.database.execute("select queue.resume(\(queue), \("a test"))")
    }

    /// The places of a job, in order.
    func show(_ id: Int64) async throws -> [String] {
        let rows = try await self.database.query("select * from queue.show(\(id))")
        return try rows.map { row in
            _ = try row.value("queue", as: String.self)
            _ = try row.value("kind", as: String.self)
            _ = try row.value("attempt", as: Int16.self)
            _ = try row.value("at", as: Timestamp?.self)
            _ = try row.value("error", as: RawJSON?.self)
            return try row.value("place")
        }
    }
}

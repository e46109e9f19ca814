public import Kernel
public import Postgres

/// The real bus as a driver: calls the functions of schema `queue` as a service does.
///
/// To let time pass it moves the rows of the owner's tables into the past. What would lapse within seconds by itself
/// (a heartbeat, the patience after a cancellation) is given more time than a test takes.
public struct PostgresDriver: QueueDriver {
    private let service: ServiceName
    /// Where the service's statements run.
    private let session: Connection
    /// The connection that holds the workers' liveness locks, as the control connection of a process does.
    private let lifeline: Connection
    private let owner: Database

    /// Lends a driver.
    /// - Parameters:
    ///   - database: of the service's role; two connections are taken.
    ///   - owner: of a role that may do everything.
    public static func with<R>(
        _ service: ServiceName, _ database: Database, owner: Database, _ body: (PostgresDriver) async throws -> R
    ) async throws -> R {
        try await database.withConnection { session in
            try await database.withConnection { lifeline in
                try await body(
                    PostgresDriver(service: service, session: session, lifeline: lifeline, owner: owner))
            }
        }
    }

    // MARK: Arranging

    public func declare(_ policy: QueuePolicy) async throws -> Int16 {
        try await self.session.one(
            "select id from queue.declare(\(self.service.text), \(JSONB([QueuePolicyRecord(policy)])))"
        ).value(at: 0)
    }

    public func register() async throws -> Int32 {
        let worker: Int32 = try await self.lifeline.one("select queue.register(\(self.service.text), 'test', 1)")
            .value(at: 0)
        // A process that has just come must not rescue; this one has been here for a while.
        try await self.owner.execute(
            "update queue.worker set session_at = session_at - interval '1 hour' where id = \(worker)")
        return worker
    }

    public func kill(_ worker: Int32) async throws {
        let lockClass: Int32 = try await self.owner.one("select queue.liveness_class()").value(at: 0)
        try await self.lifeline.execute("select pg_advisory_unlock(\(lockClass), \(worker))")
        try await self.owner.execute(
            "update queue.worker set seen_at = seen_at - interval '1 hour' where id = \(worker)")
    }

    public func leave(_ worker: Int32) async throws {
        try await self.refusing { try await self.lifeline.execute("select queue.leave(\(worker))") }
    }

    public func advance(by duration: Duration) async throws {
        _ = try await self.owner.pipeline([
            "update queue.deferred set run_at = run_at - \(duration)",
            "update queue.lease set deadline = deadline - \(duration)",
            "update queue.cancellation set at = at - \(duration)",
            "update queue.worker set session_at = session_at - \(duration), seen_at = seen_at - \(duration)",
        ])
    }

    // MARK: Sending and running

    public func send(_ job: SentJob) async throws {
        let start: SQL = job.delay > .zero ? "clock_timestamp() + \(job.delay)" : "null"
        try await self.session.execute(
            """
            select queue.send(
                \(job.queue), 'test.job', 1::smallint, '{}', \(job.key), \(job.priority), \(fragment: start), null, null,
                \(job.id))
            """)
    }

    public func look(_ worker: Int32, at queue: Int16, limit: Int) async throws -> [Claim] {
        try await self.refusing {
            try await self.session.query(
                """
                select id, attempt
                from queue.look(\(worker), \([queue]), \([Int32(limit)]), '{f}')
                where id is not null
                """
            ).map { Claim(try $0.value(at: 0), attempt: try $0.value(at: 1)) }
        }
    }

    public func complete(_ worker: Int32, _ claim: Claim) async throws {
        try await self.refusing {
            try await self.session.execute("select queue.complete(\(worker), \(claim.id), \(claim.attempt))")
        }
    }

    public func fail(_ worker: Int32, _ claim: Claim, permanently: Bool) async throws -> Aftermath {
        try await self.refusing {
            let state: Int16 = try await self.session.one(
                """
                select state
                from queue.fail(\(worker), \(claim.id), \(claim.attempt), '{"code": "test"}', \(permanently))
                """
            ).value(at: 0)
            return Aftermath(rawValue: state) ?? .dead
        }
    }

    public func postpone(_ worker: Int32, _ claim: Claim, by delay: Duration) async throws {
        let milliseconds = delay.components.seconds * 1000
        try await self.refusing {
            try await self.session.execute(
                "select queue.postpone(\(worker), \(claim.id), \(claim.attempt), \(milliseconds))")
        }
    }

    public func giveBack(_ worker: Int32, _ claims: [Claim]) async throws {
        try await self.refusing {
            try await self.session.execute(
                "select queue.give_back(\(worker), \(claims.map(\.id)), \(claims.map(\.attempt)))")
        }
    }

    // MARK: Batches

    public func batch(_ worker: Int32, of queue: Int16, limit: Int, commits: Bool) async throws -> [Int64] {
        struct RolledBack: Error { let ids: [Int64] }
        do {
            return try await self.refusing {
                try await self.session.execute("select queue.let_in(\(worker), \(queue), 1000)")
                return try await self.session.transaction { transaction in
                    let taken = try await transaction.query(
                        "select id, aseq from queue.take(\(worker), \(queue), \(Int32(limit)), -1::smallint, 0)"
                    ).map { try $0.decode(Int64.self, Int64?.self) }
                    let ids = taken.map { $0.0 }
                    guard commits else { throw RolledBack(ids: ids) }
                    try await transaction.execute(
                        "select queue.finish(\(worker), \(queue), \(ids), \(taken.map { $0.1 }))")
                    return ids
                }
            }
        } catch let back as RolledBack {
            return back.ids
        }
    }

    public func announce(_ worker: Int32, of queue: Int16, _ ids: [Int64]) async throws {
        try await self.refusing {
            try await self.session.execute("select queue.announce(\(worker), 0::smallint, \(queue), \(ids))")
        }
    }

    public func isolate(_ worker: Int32, of queue: Int16, _ ids: [Int64]) async throws -> [Int64] {
        try await self.refusing {
            try await self.session.one("select queue.isolate(\(worker), \(queue), \(ids))").value(at: 0)
        }
    }

    // MARK: Life

    public func promote() async throws {
        // The service gets there through queue.tend; by itself it can be called by the owner only.
        try await self.owner.execute("select queue.promote(\(self.service.text), 1000)")
    }

    public func rescue(_ worker: Int32) async throws {
        try await self.refusing { try await self.owner.execute("select queue.rescue(\(worker), 1000)") }
    }

    // MARK: Operators

    public func cancel(_ id: Int64) async throws -> Cancelling {
        let answer: String = try await self.session.one("select queue.cancel(\(id), 'test')").value(at: 0)
        try await self.owner.execute(
            """
            update queue.cancellation set at = clock_timestamp() + interval '30 minutes'
            where id = \(id) and at <= clock_timestamp() and at > clock_timestamp() - interval '30 minutes'
            """)
        return Cancelling(rawValue: answer) ?? .outOfReach
    }

    public func redrive(_ queue: Int16, _ ids: [Int64]) async throws -> Int {
        let count: Int32 = try await self.session.one("select queue.redrive(\(queue), \(ids), 'test')").value(at: 0)
        return Int(count)
    }

    public func skip(_ queue: Int16, _ id: Int64) async throws -> Bool {
        try await self.session.one("select queue.skip(\(queue), \(id), 'test')").value(at: 0)
    }

    public func pause(_ queue: Int16) async throws {
        try await self.session.execute("select queue.pause(\(queue), 'test')")
    }

    public func resume(_ queue: Int16) async throws {
        try await self.session.execute("select queue.resume(\(queue), 'test')")
    }

    // MARK: Storage and observation

    public func store(_ step: StorageStep) async throws -> String {
        switch step {
        case .rotate:
            let slot: Int16? = try await self.owner.one("select queue.rotate('0 seconds', 0)").value(at: 0)
            return slot.map(String.init) ?? "full"
        case .sweep(let slot):
            return try await self.owner.one("select queue.sweep_slot(\(slot))").value(at: 0)
        case .compact(let table):
            let answer: String = try await self.owner.one("select queue.compact(\(table))").value(at: 0)
            return String(answer.prefix { $0 != " " })
        case .keepFlat(let chore):
            return try await self.owner.one("select queue.keep_flat((select min(id) from queue.worker), \(chore))")
                .value(at: 0)
        }
    }

    public func snapshot() async throws -> QueueSnapshot {
        let results = try await self.owner.pipeline(Self.places)
        var snapshot = QueueSnapshot()
        for row in results[0] {
            let (id, name, attempt, worker) = try row.decode(Int64.self, String.self, Int16.self, Int32?.self)
            let isSecond = snapshot.jobs[id] != nil
            snapshot.jobs[id] = QueueSnapshot.Place(
                isSecond ? "several" : name, attempt: attempt, worker: isSecond ? nil : worker)
        }
        for row in results[1] {
            let (gate, running) = try row.decode(String.self, Int16.self)
            snapshot.gates[gate] = Int(running)
        }
        return snapshot
    }

    /// A dead job that holds the place of its key is shown there, and not as an end.
    private static let places: [SQL] = [
        """
        select id, 'arrived', attempt, null::int from queue.arrival
        union all select id, 'blocked', attempt, null from queue.blocked
        union all select id, 'ready', attempt, null from queue.ready
        union all select id, 'deferred', attempt, null from queue.deferred
        union all select id, 'running', attempt, worker_id from queue.lease
        union all select o.id, case
                when h.id is not null then 'halted' when o.state = 2 then 'completed' when o.state = 4 then 'dead'
                else 'cancelled' end, o.attempt, null
            from queue.outcome o left join queue.halted h on h.id = o.id
            where o.state in (2, 4, 5) and not (o.state = 4 and queue.is_redriven(o.id, o.attempt))
        """,
        "select queue_id || '/' || key, running from queue.gate",
    ]

    public func violations() async throws -> [String] {
        try await self.owner.query("select violation || coalesce(' ' || job_id, '') from queue.check()").map {
            try $0.value(at: 0, as: String.self)
        }
    }

    /// Turns the codes of the schema into refusals.
    @discardableResult
    private func refusing<R>(_ body: () async throws -> R) async throws -> R {
        do {
            return try await body()
        } catch let error as DatabaseError where error.sqlState == "QL001" {
            throw QueueRefusal.claimLost
        } catch let error as DatabaseError where error.sqlState == "QL004" {
            throw QueueRefusal.workerUnknown
        }
    }
}

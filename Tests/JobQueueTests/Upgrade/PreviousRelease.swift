import JobQueue
import Kernel
import Postgres
import TestSupport

/// A process of the release before, as far as the database can tell: its statements, word for word, and the columns
/// that it reads of the answers. During a deploy it works beside the present one.
///
/// With each release this file is made anew from the files of `Shared/JobQueue/Store` that were released last.
struct PreviousRelease {
    /// The one connection that holds the lock of the living.
    private let control: Database
    let database: Database
    let worker: Int32

    struct Claimed: Equatable {
        let id: Int64
        let attempt: Int16
    }

    /// What one look brought: jobs, and batched queues that have something.
    struct Look {
        var jobs: [Claimed] = []
        var waiting: Set<Int16> = []
    }

    /// Registers a process of a service.
    static func join(_ world: World, _ service: ServiceName) async throws -> PreviousRelease {
        let control = world.database(service, pool: 1)
        let row = try await control.one("select queue.register(\(service.text), \("old"), \(Int32(1)))")
        return PreviousRelease(control: control, database: world.database(service), worker: try row.value(at: 0))
    }

    /// As by kill -9: its session ends, its row stays, and nobody has seen it for long.
    func die(_ world: World) async throws {
        let backend = try await self.control.one("select pg_backend_pid()").value(at: 0, as: Int32.self)
        await self.control.shutdown()
        await self.database.shutdown()
        // The server ends the session, and gives its lock back, a moment after the client has hung up.
        try await eventually(
            "the end of the session",
            isTrue: {
                try await world.owner.one("select not exists (select from pg_stat_activity where pid = \(backend))")
                    .value(at: 0)
            })
        try await world.owner.execute(
            "update queue.worker set seen_at = seen_at - interval '1 hour' where id = \(self.worker)")
    }

    // MARK: The life of a process

    func declare(_ service: ServiceName, _ queues: [QueueName]) async throws -> [QueueName: Int16] {
        let records = queues.map { name in
            """
            {"name": "\(name)", "attempts_max": 20, "losses_max": 3, "retention_days": 14, "backoff_base_ms": 500,
             "backoff_cap_ms": 900000, "lease_ms": 30000, "backoff_factor": 2, "backoff_jitter": 0.2,
             "on_dead": "release"}
            """
        }
        let text = RawJSON("[\(records.joined(separator: ","))]")
        var numbers: [QueueName: Int16] = [:]
        for row in try await self.database.query("select name, id from queue.declare(\(service.text), \(text))") {
            guard let name = QueueName(try row.value(at: 0, as: String.self)) else { continue }
            numbers[name] = try row.value(at: 1)
        }
        return numbers
    }

    func resolve(_ queue: QueueName) async throws -> Int16? {
        try await self.database.query("select name, id from queue.resolve(\([queue.text]))").first?.value(at: 1)
    }

    func subscribe(_ queue: Int16, to events: [String]) async throws {
        try await self.database.execute("select queue.subscribe(\(queue), \(events))")
    }

    func rejoin() async throws -> Bool {
        try await self.control.one("select queue.rejoin(\(self.worker))").value(at: 0)
    }

    func beat() async throws -> Bool {
        try await self.control.one("select queue.beat(\(self.worker))").value(at: 0)
    }

    func leave() async throws {
        try await self.control.execute("select queue.leave(\(self.worker))")
    }

    /// The chores: the queues that got something, and when the next job is due.
    func tend() async throws -> (queues: [Int16], due: Int64?) {
        let row = try await self.database.one(
            "select queues, next_due_ms from queue.tend(\(self.worker), \(Int32(1000)))")
        return (try row.value(at: 0), try row.value(at: 1))
    }

    func prepareDays() async throws {
        try await self.database.execute("select queue.prepare_days(\(Int32(7)))")
        try await self.database.execute("select queue.drop_stale_replies()")
    }

    func sleep() async throws {
        try await self.database.execute("select queue.sleep(\(self.worker))")
    }

    func bell(_ queues: [Int16]) async throws {
        try await self.database.execute("select queue.bell(\(queues), \([self.worker]))")
    }

    /// The answers that have come, by question.
    func collect() async throws -> [Int64: (status: Int16, body: String)] {
        var answers: [Int64: (Int16, String)] = [:]
        for row in try await self.database.query("select id, status, body from queue.collect(\(self.worker))") {
            answers[try row.value(at: 0)] = (try row.value(at: 1), try row.value(at: 2, as: RawJSON.self).text)
        }
        return answers
    }

    // MARK: Sending

    /// The server makes the id and lends numbers.
    func send(_ queue: Int16, _ kind: String, _ number: Int, key: String? = nil, after delay: Duration? = nil)
        async throws -> Int64
    {
        let moment: SQL = if let delay { "clock_timestamp() + \(delay)" } else { "null" }
        let row = try await self.database.one(
            """
            select queue.send(
                \(queue), \(kind), \(Int16(1)), \(RawJSON(#"{"number": \#(number)}"#)),
                \(key), \(Int16(2)), \(fragment: moment),
                \(RawJSON?.none), \(Int64?.none), \(Int64?.none)), first_number, now_ms from queue.lease_numbers()
            """)
        _ = try row.value(at: 1, as: Int32.self)
        _ = try row.value(at: 2, as: Int64.self)
        return try row.value(at: 0)
    }

    /// With an id that the sender has made.
    func send(_ queue: Int16, _ kind: String, _ number: Int, id: Int64) async throws {
        try await self.database.execute(
            """
            select queue.send(
                \(queue), \(kind), \(Int16(1)), \(RawJSON(#"{"number": \#(number)}"#)),
                \(String?.none), \(Int16(2)), \(fragment: "null"),
                \(RawJSON?.none), \(Int64?.none), \(id))
            """)
    }

    func send(_ queue: Int16, _ kind: String, numbers: [Int]) async throws -> [Int64] {
        let messages = numbers.map { RawJSON(#"{"number": \#($0)}"#) }
        return try await self.database.one(
            """
            select queue.send_many(
                \(queue), \(kind), \(Int16(1)), \(messages),
                \([String?]?.none), \(Int16(2)), \(fragment: "null"),
                \(RawJSON?.none), \(Int64?.none))
            """
        ).value(at: 0)
    }

    /// The queues that heard of it.
    func publish(_ event: String, number: Int) async throws -> [Int16] {
        try await self.database.query(
            """
            select queue_id, owner_service
            from queue.publish(
                \(event), \(Int16(1)), \([RawJSON(#"{"number": \#(number)}"#)]), \([String?]?.none),
                \(RawJSON?.none), \(Int64?.none))
            """
        ).map { row in
            _ = try row.value(at: 1, as: String.self)
            return try row.value(at: 0)
        }
    }

    /// - Parameter replyClass: 1 durable, 2 volatile.
    func call(_ queue: Int16, _ kind: String, _ number: Int, replyClass: Int16) async throws -> Int64 {
        try await self.database.one(
            """
            select queue.call(
                \(queue), \(kind), \(Int16(1)), \(RawJSON(#"{"number": \#(number)}"#)), \(String?.none), \(self.worker),
                \(replyClass), \(Int32(3_600_000)), \(RawJSON?.none), \(Int64?.none))
            """
        ).value(at: 0)
    }
}

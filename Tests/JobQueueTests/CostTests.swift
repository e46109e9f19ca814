import JobQueue
import Kernel
import Postgres
import TestSupport
import Testing

/// What a job costs the database, in transactions that write and in bytes of WAL: counts, not times.
@Suite(.capturedLogs, .serialized)
struct CostTests {
    /// Writing transactions and bytes of WAL of the whole cluster while the body runs. Beats and chores may add to them,
    /// so the least of a few rounds counts.
    private func cost(_ world: World, rounds: Int = 5, _ body: () async throws -> Void) async throws -> (Int, Int) {
        var least = (transactions: Int.max, bytes: Int.max)
        for _ in 0..<rounds {
            let before = try await self.marks(world)
            try await body()
            let after = try await self.marks(world)
            least.transactions = min(least.transactions, after.0 - before.0 - 1)
            least.bytes = min(least.bytes, after.1 - before.1)
        }
        return (least.transactions, least.bytes)
    }

    private func marks(_ world: World) async throws -> (Int, Int) {
        let row = try await world.owner.one(
            "select pg_current_xact_id()::text::bigint, (pg_current_wal_insert_lsn() - '0/0')::bigint")
        return (Int(try row.value(at: 0, as: Int64.self)), Int(try row.value(at: 1, as: Int64.self)))
    }

    @Test func `a send is one transaction; many are one, too`() async throws {
        try await withOwnServer { world, _ in
            let alpha = world.bus("alpha")
            _ = try await alpha.send(Work(number: 0))
            let (one, _) = try await self.cost(world) { _ = try await alpha.send(Work(number: 1)) }
            #expect(one == 1)
            let (many, _) = try await self.cost(world) {
                _ = try await alpha.send(contentsOf: (1...100).map { Work(number: $0) })
            }
            #expect(many == 1)
        }
    }

    @Test func `a batch of jobs costs its send and two more transactions, and under 1.2 KiB of WAL a job`() async throws
    {
        try await withOwnServer { world, _ in
            let alpha = world.bus("alpha")
            try await alpha.running(
                queues: [QueueDeclaration(Work.queue, slots: 1)],
                handlers: [.batch(Work.self, limit: 500) { _, _ in }]
            ) {
                _ = try await alpha.send(Work(number: 0))
                try await eventually("the worker is warm") { try await world.isEmpty() }
                let (transactions, bytes) = try await self.cost(world) {
                    _ = try await alpha.send(contentsOf: (1...500).map { Work(number: $0) })
                    try await eventually("all are done", every: .milliseconds(2)) { try await world.isEmpty() }
                }
                // The send, the announcement, the batch; and what may fall in between: bell, sleeper, beat, chores.
                #expect(transactions <= 3 + 6)
                #expect(bytes / 500 <= 1228)
            }
        }
    }

    @Test func `a transactional job costs one transaction of its own, and a small share of a claim`() async throws {
        try await withOwnServer { world, _ in
            let alpha = world.bus("alpha")
            try await alpha.running(
                queues: [QueueDeclaration(Work.queue, slots: 4)],
                handlers: [.transactional(Work.self) { _, _, _ in }]
            ) {
                _ = try await alpha.send(Work(number: 0))
                try await eventually("the worker is warm") { try await world.isEmpty() }
                let (transactions, bytes) = try await self.cost(world) {
                    _ = try await alpha.send(contentsOf: (1...400).map { Work(number: $0) })
                    try await eventually("all are done", every: .milliseconds(2)) { try await world.isEmpty() }
                }
                #expect(transactions <= 400 + 400 / 8 + 30)
                #expect(bytes / 400 <= 1228)
            }
        }
    }

    @Test func `an idle worker asks little of the database`() async throws {
        try await withOwnServer { world, _ in
            let alpha = world.bus("alpha")
            try await alpha.running(handlers: [.transactional(Work.self) { _, _, _ in }]) {
                try await eventually("the worker sleeps") {
                    try await world.count("select count(*) from queue.sleeper") == 1
                }
                // An announcement that stands is not made again: the row's version stays the same over many polls.
                let before = try await world.owner.one("select xmin::text from queue.sleeper").value(
                    at: 0, as: String.self)
                let beats = try await world.count("select count(*) from queue.worker")
                #expect(beats == 1)
                try await eventually("three beats have passed") {
                    try await world.count(
                        "select count(*) from queue.worker where seen_at > started_at + interval '3 seconds'") == 1
                }
                let after = try await world.owner.one("select xmin::text from queue.sleeper").value(
                    at: 0, as: String.self)
                #expect(before == after)
            }
        }
    }
}

import JobQueue
import Kernel
import NIOConcurrencyHelpers
import Postgres
import TestSupport
import Testing

/// Storage stays flat: rings are rotated and emptied, small tables compacted, days dropped, counters folded; also while
/// somebody keeps an old snapshot open.
@Suite(.database(JobQueueMigrations.set), .capturedLogs)
struct StorageTests {
    private func text(_ world: World, _ sql: SQL) async throws -> String {
        try await world.owner.one(sql).value(at: 0)
    }

    private func bytes(_ world: World, _ table: String) async throws -> Int {
        try await world.count("select pg_relation_size(\("queue." + table)::regclass)")
    }

    @Test func `a slot that has run empty is truncated under the oldest snapshot, and its counters are kept`()
        async throws
    {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        try await world.owner.withConnection { session in
            // An analyst, or a dump: from now on vacuum can take nothing away.
            try await session.transaction(isolation: .repeatableRead) { transaction in
                try await transaction.execute("select count(*) from public.effect")
                try await alpha.running(
                    handlers: [
                        .batch(Work.self) { jobs, transaction in
                            for job in jobs { try await note(job.context, in: transaction) }
                        }
                    ]
                ) {
                    _ = try await alpha.send(contentsOf: (1...3000).map { Work(number: $0) })
                    try await eventually("all are done", within: .seconds(60)) { try await world.isDone(effects: 3000) }
                }
                // The worker may have turned the ring already, if the machine was slow.
                try await world.owner.execute("select queue.rotate('0 s', 0)")
                try await world.owner.execute("select queue.sweep_slot(slot) from queue.ring order by generation")
                #expect(try await self.bytes(world, "ready_0") == 0)
                #expect(try await self.bytes(world, "delta_0") == 0)
            }
        }
        let status = try #require(try await QueueAdministration(world.owner).stats(of: Work.queue))
        #expect(status.sent == 3000)
        #expect(status.completed == 3000)
        #expect(status.ready == 0)
        #expect(try await world.violations() == [])
    }

    /// A dump holds a snapshot and a lock on every table: nothing can be emptied as long as it runs.
    @Test func `a dump in progress stops nobody, and when it has ended the storage is flat again`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        try await world.owner.withConnection { session in
            try await session.transaction(isolation: .repeatableRead) { transaction in
                try await transaction.execute(
                    """
                    do $$
                    begin
                        execute (
                            select 'lock table ' || string_agg(oid::regclass::text, ', ') || ' in access share mode'
                            from pg_class where relnamespace = 'queue'::regnamespace and relkind in ('r', 'p'));
                    end $$
                    """)
                try await alpha.running(handlers: [
                    .batch(Work.self) { jobs, transaction in
                        for job in jobs { try await note(job.context, in: transaction) }
                    }
                ]) {
                    for round in 1...4 {
                        _ = try await alpha.send(contentsOf: (1...500).map { Work(number: $0) })
                        try await eventually("all are done", within: .seconds(60)) {
                            try await world.isDone(effects: round * 500)
                        }
                        try await world.owner.execute("select queue.rotate('0 s', 0)")
                        let said = Set(try await self.text(world, "select queue.sweep()").split(separator: ", "))
                        #expect(said.isSubset(of: ["busy", "current", "not empty"]))
                        #expect(try await self.text(world, "select queue.compact('lease')") == "busy")
                    }
                }
                #expect(try await world.count("select count(*) from queue.ring") >= 5)
            }
        }
        try await world.owner.execute("select queue.sweep()")
        #expect(try await world.count("select count(*) from queue.ring") == 1)
        for slot in 0..<4 { #expect(try await self.bytes(world, "ready_\(slot)") == 0) }
        #expect(try await self.text(world, "select queue.compact('lease')") == "kept 0")
        #expect(try await world.violations() == [])
    }

    @Test func `a slot with jobs is not emptied, nor one that a sender is writing to`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        _ = try await alpha.send(Work(number: 1))
        try await world.owner.execute("select queue.rotate('0 s', 0)")
        #expect(try await self.text(world, "select queue.sweep_slot(0::smallint)") == "not empty")
        #expect(try await self.text(world, "select queue.sweep_slot(1::smallint)") == "current")
        try await alpha.database.transaction { transaction in
            _ = try await alpha.bus.send(contentsOf: [Work(number: 2)], in: transaction)
            try await world.owner.execute("select queue.rotate('0 s', 0)")
            #expect(try await self.text(world, "select queue.sweep_slot(1::smallint)") == "busy")
        }
        let claimed = NIOLockedCount()
        try await alpha.running(handlers: [.transactional(Work.self) { _, _, _ in claimed.add() }]) {
            try await eventually("both are done") { try await world.isEmpty() }
        }
        #expect(claimed.value == 2)
        #expect(try await world.violations() == [])
    }

    @Test func `a service keeps the storage flat with no more rights than its own`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let worker = try await alpha.database.one("select queue.register('alpha', 'h', 1)").value(at: 0, as: Int32.self)
        _ = try await alpha.send(Work(number: 1))
        // The database may have been made yesterday.
        _ = try await world.count("select queue.prepare_days(7)::bigint")
        // As after a minute of traffic.
        try await world.owner.execute("update queue.ring set opened_at = opened_at - interval '2 minutes'")
        for (step, said) in [
            ("turn", "opened 1, not empty, current"), ("turn", "nothing opened, not empty, current"), ("compact", ""),
            ("tidy", "0 keys helped"), ("retain", "0 made, 0 dropped"),
        ] {
            let sql: SQL = "select queue.keep_flat(\(worker), \(step))"
            #expect(try await alpha.database.one(sql).value(at: 0, as: String.self) == said)
        }
        await #expect(throws: DatabaseError.self) {
            try await alpha.database.execute("select queue.keep_flat(\(worker), 'dance')")
        }
        #expect(try await world.violations() == [])
    }

    @Test func `a row that comes late to a slot outside of the ring is found`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        _ = try await alpha.send(Work(number: 1))
        // As a sender would that read the ring before the slot left it.
        try await world.owner.execute("update queue.ready set slot = 5")
        #expect(try await world.violations().count == 1)
        #expect(try await world.count("select queue.find_strays()::bigint") == 1)
        #expect(try await world.violations() == [])
        let done = NIOLockedCount()
        try await alpha.running(handlers: [.transactional(Work.self) { _, _, _ in done.add() }]) {
            try await eventually("it is done") { try await world.isEmpty() }
        }
        #expect(done.value == 1)
    }

    @Test func `a bloated small table is emptied around its living rows`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let worker = try await world.owner.one("select queue.register('alpha', 'h', 1)").value(at: 0, as: Int32.self)
        let ids = try await alpha.send(contentsOf: (1...3).map { Work(number: $0) })
        try await world.owner.execute(
            "select queue.look(\(worker), array(select id from queue.queue), array[10], array[false])")
        try await world.owner.execute(
            """
            insert into queue.lease (id, deadline, worker_id, queue_id, priority, attempt)
            select -n, clock_timestamp(), 0, 1, 2, 1 from generate_series(1, 60000) n
            """)
        try await world.owner.execute("delete from queue.lease where id < 0")
        let before = try await self.bytes(world, "lease")
        try await world.owner.execute("select queue.compact_bloated(1000000)")
        #expect(try await self.bytes(world, "lease") < before / 10)
        #expect(try await world.count("select count(*) from queue.lease") == ids.count)
        #expect(try await self.text(world, "select queue.compact('lease', 1)") == "too many rows")
        #expect(try await world.violations() == [])
        // Somebody reads it: the next round tries again.
        try await world.owner.withConnection { session in
            try await session.transaction { transaction in
                try await transaction.execute("select count(*) from queue.lease")
                #expect(try await self.text(world, "select queue.compact('lease')") == "busy")
            }
        }
    }

    @Test func `old days are dropped, and what has not ended moves out of them first`() async throws {
        let world = try await World.make()
        let alpha = world.bus("alpha")
        let later = try await alpha.send(Work(number: 1), .delay(.seconds(86_400 * 30)))
        try await alpha.running(
            queues: [QueueDeclaration(Work.queue, retention: .seconds(3 * 86_400))],
            handlers: [.transactional(Work.self) { _, _, _ in }]
        ) {
            _ = try await alpha.send(contentsOf: (2...20).map { Work(number: $0) })
            try await eventually("the others are done") {
                try await world.count("select count(*) from queue.outcome where state = 2") == 19
            }
        }
        #expect(try await world.count("select queue.drop_days(now() + interval '2 days')::bigint") == 0)
        #expect(try await world.count("select queue.drop_days(now() + interval '4 days')::bigint") > 0)
        #expect(try await world.count("select count(*) from queue.outcome") == 0)
        #expect(try await world.count("select id from queue.job") == Int(later.raw))
        #expect(try await world.violations() == [])
    }
}

/// A counter that handlers share.
final class NIOLockedCount: Sendable {
    private let count = NIOLockedValueBox(0)
    var value: Int { self.count.withLockedValue { $0 } }
    func add() { self.count.withLockedValue { $0 += 1 } }
}

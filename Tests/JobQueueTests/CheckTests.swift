import JobQueue
import Kernel
import Postgres
import TestSupport
import Testing

/// The checker that every other test trusts: each kind of damage is found.
@Suite(.database(JobQueueMigrations.set), .capturedLogs)
struct CheckTests {
    static let damages: [(String, SQL)] = [
        ("a job is nowhere", "delete from queue.ready"),
        ("a place without a job", "delete from queue.job"),
        (
            "a job is in more than one place",
            "insert into queue.deferred (run_at, id, queue_id, priority, attempt) select now(), id, 1, 2, 0 from queue.job"
        ),
        (
            "a job that has ended can still run",
            "insert into queue.outcome (id, attempt, queue_id, state) select id, 1, 1, 2 from queue.job"
        ),
        (
            "a job has ended twice",
            """
            with gone as (delete from queue.ready returning id)
            insert into queue.outcome (id, attempt, queue_id, state) select id, n, 1, 4 from gone, generate_series(1, 2) n
            """
        ),
        (
            "a job completed more than once",
            """
            with gone as (delete from queue.ready returning id)
            insert into queue.outcome (id, attempt, queue_id, state) select id, n, 1, 2 from gone, generate_series(1, 2) n
            """
        ),
        ("an outcome without a job", "insert into queue.outcome (id, attempt, queue_id, state) values (1, 1, 1, 2)"),
        (
            "a lease beyond the attempts of its queue",
            """
            with gone as (delete from queue.ready returning *)
            insert into queue.lease (id, deadline, worker_id, queue_id, priority, attempt)
            select id, now(), 1, queue_id, priority, 21 from gone
            """
        ),
    ]

    @Test(arguments: Self.damages.indices)
    func `damage is found`(_ index: Int) async throws {
        let (violation, damage) = Self.damages[index]
        let world = try await World.make()
        _ = try await world.bus("alpha").send(Work(number: 1))
        #expect(try await world.violations() == [])
        try await world.owner.execute(damage)
        #expect(try await world.violations().contains { $0.hasPrefix(violation) })
    }
}

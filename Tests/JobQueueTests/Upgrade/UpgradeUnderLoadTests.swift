import JobQueue
import Kernel
import NIOConcurrencyHelpers
import Postgres
import TestSupport
import Testing

/// The tables change under processes of the release before, which take batches and send from within them.
@Suite(.database(JobQueueMigrations.set), .capturedLogs)
struct UpgradeUnderLoadTests {
    private enum Phase { case before, after, over }

    private struct Load: Sendable {
        let bulk: Int16
        let work: Int16
        let phase = NIOLockedValueBox(Phase.before)
        /// A process has done its first batch, before the upgrade and after it.
        let begun = Signal<Void>()
        let goesOn = Signal<Void>()
    }

    @Test func `the upgrade goes through at full traffic, and nothing is lost or done twice`() async throws {
        let world = try await World.make()
        try await Rehearsal.goBack()
        let old = try await PreviousRelease.join(world, "alpha")
        let queues = try await old.declare("alpha", ["alpha.bulk", "alpha.work"])
        let load = Load(bulk: try #require(queues["alpha.bulk"]), work: try #require(queues["alpha.work"]))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 1...3 {
                let process = try await PreviousRelease.join(world, "alpha")
                group.addTask { try await self.run(process, load) }
            }
            for _ in 1...3 { try await load.begun.next() }
            try await Rehearsal.upgrade()
            load.phase.withLockedValue { $0 = .after }
            for _ in 1...3 { try await load.goesOn.next() }
            load.phase.withLockedValue { $0 = .over }
            try await group.waitForAll()
        }
        let count = try await world.count("select count(*) from queue.job where kind = \(Bulk.name)")
        let alpha = world.bus("alpha")
        try await alpha.running(handlers: [
            .batch(Bulk.self) { jobs, transaction in
                try await self.note(jobs.map(\.context), "done", in: transaction)
                try await alpha.bus.send(contentsOf: jobs.map { _ in Work(number: 1) }, in: transaction)
            },
            .batch(Work.self) { jobs, transaction in
                try await self.note(jobs.map(\.context), "follow-up", in: transaction)
            },
        ]) {
            try await eventually("everything has ended") { try await world.isDone(effects: count * 2) }
        }
        #expect(try await world.count("select count(distinct job) from public.effect where note = 'done'") == count)
        #expect(
            try await world.count("select count(distinct job) from public.effect where note = 'follow-up'") == count)
        #expect(try await world.violations() == [])
    }

    private func note(_ jobs: [JobContext], _ text: String, in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            "insert into public.effect select id, 1, \(text) from unnest(\(jobs.map(\.id.raw))) id")
    }

    /// Sends, and does what was sent, until it is over. Whatever a transaction runs into while the tables change, it has done
    /// nothing: the process goes on, as it would after any other error of the database.
    private func run(_ process: PreviousRelease, _ load: Load) async throws {
        var hasBegun = false
        var hasGoneOn = false
        while true {
            let phase = load.phase.withLockedValue(\.self)
            guard phase != .over else { return }
            guard (try? await process.send(load.bulk, Bulk.name, 1)) != nil,
                (try? await self.batch(of: process, load)) == true
            else { continue }
            if !hasBegun { load.begun.send(()) }
            if phase == .after, !hasGoneOn { load.goesOn.send(()) }
            hasBegun = true
            hasGoneOn = phase == .after
        }
    }

    /// - Returns: whether there was something to do.
    private func batch(of process: PreviousRelease, _ load: Load) async throws -> Bool {
        try await process.database.transaction { transaction in
            let taken = try await process.take(load.bulk, limit: 2, in: transaction)
            for id in taken {
                try await transaction.execute("insert into public.effect values (\(id), 1, 'done')")
                try await transaction.execute(
                    "select queue.send(\(load.work), \(Work.name), 1::smallint, '{\"number\": 1}', null, 2::smallint)")
            }
            try await transaction.execute(process.finish(load.bulk, taken))
            return !taken.isEmpty
        }
    }

    /// The order of its locks is the other way round: first the queues, then the processes. The upgrade holds the processes by
    /// then and wants the queues; it is the upgrade that gives way.
    @Test func `who has sent something and then ends his job is not the one who pays for a deadlock`() async throws {
        let world = try await World.make()
        try await Rehearsal.goBack()
        let old = try await PreviousRelease.join(world, "alpha")
        let queues = try await old.declare("alpha", ["alpha.work"])
        let work = try #require(queues["alpha.work"])
        _ = try await old.send(work, Work.name, 1)
        let job = try await old.claimOne(work)
        try await withThrowingTaskGroup(of: Void.self) { group in
            try await old.database.transaction { transaction in
                try await transaction.execute(
                    "select queue.send(\(work), \(Work.name), 1::smallint, '{\"number\": 2}', null, 2::smallint)")
                group.addTask { try await Rehearsal.upgrade() }
                try await eventually("the upgrade waits for what this transaction holds", every: .milliseconds(2)) {
                    try await world.count(
                        """
                        select count(*) from pg_locks
                        where locktype = 'relation' and mode = 'AccessExclusiveLock' and not granted
                            and database = (select oid from pg_database where datname = current_database())
                        """) > 0
                }
                try await transaction.execute(old.complete(job))
            }
            try await group.waitForAll()
        }
        let alpha = world.bus("alpha")
        try await alpha.running(handlers: [
            .transactional(Work.self) { _, job, transaction in try await JobQueueTests.note(job, in: transaction) }
        ]) {
            try await eventually("what was sent then is done") { try await world.isDone(effects: 1) }
        }
        #expect(try await world.violations() == [])
    }
}

import JobQueue
import Kernel
import Postgres
import TestSupport
import Testing

/// An ordered command, as of a queue that is given an order by the release that comes.
private struct Ordered: Command {
    static let name = "alpha.bulk"
    static let queue: QueueName = "alpha.bulk"
    var number: Int
    var orderingKey: String? { "a" }
}

/// The release before, then the upgrade, then both side by side.
@Suite(.database(JobQueueMigrations.set), .capturedLogs)
struct UpgradeTests {
    // MARK: Jobs in every state

    /// What the release before has left behind.
    private struct Legacy {
        var queues: [QueueName: Int16] = [:]
        /// Will be done by whoever comes next.
        var open: [Int64] = []
        /// Ended before the upgrade.
        var completed: [Int64] = []
        var dead: Int64 = 0
        /// Claimed by a process that lives on.
        var running: [PreviousRelease.Claimed] = []
        var answered: Int64 = 0
        var durable: Int64 = 0
        var volatile: Int64 = 0

        func number(_ queue: QueueName) throws -> Int16 { try #require(self.queues[queue]) }
    }

    private func leave(_ world: World, by old: PreviousRelease) async throws -> Legacy {
        var legacy = Legacy()
        legacy.queues = try await old.declare("alpha", ["alpha.work", "alpha.bulk", "alpha.calls", "alpha.rest"])
        try await self.leaveSingleJobs(world, old, &legacy)
        try await self.leaveBatches(world, old, &legacy)
        let calls = try legacy.number("alpha.calls")
        legacy.answered = try await old.call(calls, Double.name, 20, replyClass: 1)
        try await old.answer(try await old.claimOne(calls), #"{"number": 40}"#)
        legacy.durable = try await old.call(calls, Double.name, 21, replyClass: 1)
        legacy.volatile = try await old.call(calls, Double.name, 22, replyClass: 2)
        let rest = try legacy.number("alpha.rest")
        legacy.open.append(try await old.send(rest, Rest.name, 30))
        try await old.pause(rest)
        return legacy
    }

    /// Each claim takes the only job that is ready, so what shall stay ready is sent last.
    private func leaveSingleJobs(_ world: World, _ old: PreviousRelease, _ legacy: inout Legacy) async throws {
        let work = try legacy.number("alpha.work")
        func claimed() async throws -> PreviousRelease.Claimed {
            _ = try await old.send(work, Work.name, 1)
            return try await old.claimOne(work)
        }
        let completed = try await claimed()
        try await old.database.execute(old.complete(completed))
        legacy.completed.append(completed.id)
        let failed = try await claimed()
        #expect(try await old.fail(failed, retryAfter: 3_600_000) == 3)
        let postponed = try await claimed()
        try await old.postpone(postponed, for: 3_600_000)
        let dead = try await claimed()
        #expect(try await old.fail(dead, isPermanent: true) == 4)
        legacy.dead = dead.id
        let redriven = try await claimed()
        try await old.fail(redriven, isPermanent: true)
        legacy.running.append(try await claimed())
        let givenBack = try await claimed()

        // Two processes die over a job each; one of them is found before the upgrade, the other one after it.
        let (found, unfound) = (
            try await PreviousRelease.join(world, "alpha"), try await PreviousRelease.join(world, "alpha")
        )
        let lost = try await old.send(work, Work.name, 2)
        _ = try await found.claimOne(work)
        let missing = try await old.send(work, Work.name, 3)
        _ = try await unfound.claimOne(work)
        try await found.die(world)
        try await world.owner.execute("update queue.worker set session_at = session_at - interval '1 hour'")
        #expect(try await old.tend().queues == [work])
        try await unfound.die(world)

        #expect(try await old.giveBack([givenBack]) == [work])
        #expect(try await old.redrive(work, [redriven.id]) == 1)
        let delayed = try await old.send(work, Work.name, 4, after: .seconds(3600))
        let keyed = try await old.send(work, Work.name, 5, key: "a")
        legacy.open += [failed.id, postponed.id, redriven.id, givenBack.id, lost, missing, delayed, keyed]
        legacy.open += try await old.send(work, Work.name, numbers: [6, 7, 8])
        try await old.subscribe(work, to: [Happened.name])
        #expect(try await old.publish(Happened.name, number: 9) == [work])
    }

    /// A batch that was done in part, one that failed and was isolated, one that its process died over.
    private func leaveBatches(_ world: World, _ old: PreviousRelease, _ legacy: inout Legacy) async throws {
        let bulk = try legacy.number("alpha.bulk")
        let ids = try await old.send(bulk, Bulk.name, numbers: Array(10...15))
        try await old.database.transaction { transaction in
            let taken = try await old.take(bulk, limit: 2, in: transaction)
            #expect(taken == Array(ids[0...1]))
            try await transaction.execute(old.finish(bulk, [ids[0]]))
            try await transaction.execute(old.setAside(bulk, [ids[1]], for: 3_600_000))
        }
        legacy.completed.append(ids[0])
        await #expect(throws: Boom.self) {
            try await old.database.transaction { transaction in
                let taken = try await old.take(bulk, limit: 2, in: transaction)
                #expect(taken == Array(ids[2...3]))
                throw Boom()
            }
        }
        #expect(try await old.isolate(bulk, Array(ids[2...3])) == Array(ids[2...3]))
        legacy.running += ids[2...3].map { PreviousRelease.Claimed(id: $0, attempt: 1) }
        let dying = try await PreviousRelease.join(world, "alpha")
        await #expect(throws: Boom.self) {
            try await dying.database.transaction { transaction in
                let taken = try await dying.take(bulk, limit: 2, in: transaction)
                #expect(taken == Array(ids[4...5]))
                throw Boom()
            }
        }
        try await world.owner.execute(dying.announce(bulk, Array(ids[4...5])))
        try await dying.die(world)
        legacy.open += [ids[1], ids[4], ids[5]]
    }

    private var handlers: [Handler] {
        [
            .transactional(Work.self) { _, job, transaction in try await note(job, in: transaction) },
            .transactional(Happened.self, on: "alpha.work") { _, job, transaction in
                try await note(job, "event", in: transaction)
            },
            .batch(Bulk.self) { jobs, transaction in
                for job in jobs { try await note(job.context, in: transaction) }
            },
            .transactional(Rest.self) { _, job, transaction in try await note(job, in: transaction) },
            .reply(Double.self) { call, _, _ in Double.Reply(number: call.number * 2) },
        ]
    }

    @Test func `every job of the release before is done once after the upgrade`() async throws {
        let world = try await World.make()
        try await Rehearsal.goBack()
        let old = try await PreviousRelease.join(world, "alpha")
        let legacy = try await self.leave(world, by: old)
        #expect(try await world.violations() == [], "before the upgrade")

        try await Rehearsal.upgrade()
        #expect(try await world.violations() == [], "after the upgrade")

        // The process of before has not noticed anything, and ends what it has begun.
        #expect(try await old.beat())
        for job in legacy.running.dropLast() {
            try await old.database.transaction { transaction in
                try await transaction.execute(old.complete(job))
            }
        }
        let failing = try #require(legacy.running.last)
        #expect(try await old.fail(failing, retryAfter: 3_600_000) == 3)
        try await old.resume(try legacy.number("alpha.rest"))

        let alpha = world.bus("alpha")
        try await alpha.running(handlers: self.handlers) {
            try await eventually("everything has ended") {
                // An hour passes.
                try await world.owner.execute("update queue.deferred set run_at = clock_timestamp()")
                return try await world.isEmpty()
            }
        }
        let open = Set(legacy.open + [failing.id])
        #expect(
            Set(
                try await world.owner.query("select job from public.effect where note = 'done'")
                    .map { try $0.value(at: 0, as: Int64.self) }) == open)
        #expect(try await world.count("select count(*) from public.effect where note = 'event'") == 1)
        #expect(try await world.effects() == open.count + 1, "nothing was done twice")
        let completed = Set(
            try await world.owner.query("select id from queue.outcome where state = 2")
                .map { try $0.value(at: 0, as: Int64.self) })
        #expect(completed.isSuperset(of: open.union(legacy.completed).union(legacy.running.map(\.id))))
        #expect(!completed.contains(legacy.dead))
        #expect(try await old.dead(try legacy.number("alpha.work")) == [legacy.dead])

        let answers = try await old.collect()
        #expect(answers[legacy.answered]?.body == #"{"number": 40}"#)
        #expect(answers[legacy.durable]?.body == #"{"number": 42}"#)
        #expect(answers[legacy.volatile]?.body == #"{"number": 44}"#)
        #expect(answers.values.allSatisfy { $0.status == 1 })
        #expect(try await world.violations() == [])
    }

    // MARK: Side by side

    @Test func `what the release before sends still works, and its answers have the columns that it reads`()
        async throws
    {
        let world = try await World.make()
        let old = try await PreviousRelease.join(world, "alpha")
        let queues = try await old.declare("alpha", ["alpha.work", "alpha.bulk", "alpha.calls", "alpha.rest"])
        #expect(queues.count == 4)
        let work = try #require(queues["alpha.work"])
        #expect(try await old.resolve("alpha.work") == work)
        #expect(try await old.rejoin())
        try await old.prepareDays()
        let made = (try await old.send(work, Work.name, 1) & ~0xFFFFF) | 0xFFFFF
        try await old.send(work, Work.name, 2, id: made)
        #expect(try await old.claim(work, isBatched: true).waiting == [work])
        let (first, second) = (try await old.claimOne(work), try await old.claimOne(work))
        #expect(second.id == made)
        try await old.disown(allBut: [second.id])
        #expect(try await old.show(first.id) == ["ready"])
        #expect(try await old.giveBack([second]) == [work])
        let stats = try #require(try await old.stats("alpha.work"))
        #expect(stats.ready == 2)
        #expect(stats.deferred + stats.running + stats.dead == 0)
        try await old.sleep()
        try await old.bell([work])
        #expect(try await world.count("select count(*) from queue.sleeper") == 0)
        for remedy in [Int64?.none, 0] {
            let job = try await old.claimOne(work)
            #expect(try await old.fail(job, isPermanent: remedy == nil, retryAfter: remedy) == (remedy == nil ? 4 : 3))
        }
        #expect(try await old.tend().queues == [work])
        #expect(try await old.dead(work) == [first.id])
        #expect(try await old.redrive(work, [first.id]) == 1)
        #expect(try await old.show(first.id) == ["dead", "ready"])
        let again = try await old.claim(work, 9).jobs
        #expect(again.map(\.attempt) == [2, 2])
        try await old.leave()
        #expect(try await old.beat() == false)
        #expect(try await world.count("select count(*) from queue.ready") == 2)
        #expect(try await world.violations() == [])
    }

    @Test func `a process of the release before and one of this one share the jobs of a queue`() async throws {
        let world = try await World.make()
        let old = try await PreviousRelease.join(world, "alpha")
        let queues = try await old.declare("alpha", ["alpha.work"])
        let work = try #require(queues["alpha.work"])
        let alpha = world.bus("alpha")
        _ = try await old.send(work, Work.name, numbers: Array(1...30))
        _ = try await alpha.send(contentsOf: (31...60).map { Work(number: $0) })
        let held = try await old.claim(work, 20).jobs
        #expect(held.count == 20)
        try await alpha.running(handlers: self.handlers) {
            for job in held {
                try await old.database.transaction { transaction in
                    try await transaction.execute(
                        "insert into public.effect values (\(job.id), \(Int32(job.attempt)), 'old')")
                    try await transaction.execute(old.complete(job))
                }
            }
            try await eventually("all are done") { try await world.isDone(effects: 60) }
        }
        #expect(try await world.count("select count(distinct job) from public.effect") == 60)
        #expect(try await world.count("select count(*) from public.effect where note = 'old'") == 20)
        #expect(try await world.violations() == [])
    }

    @Test func `the release before can be shown a job that has stopped its key`() async throws {
        let world = try await World.make()
        let old = try await PreviousRelease.join(world, "alpha")
        let queues = try await old.declare("alpha", ["alpha.bulk"])
        let bulk = try #require(queues["alpha.bulk"])
        let ordered = [QueueDeclaration(Ordered.queue, onDead: .block, order: .byKey(atATime: 1))]
        let alpha = world.bus("alpha")
        try await alpha.running(queues: ordered) {
            try await eventually("the queue has an order") {
                try await world.count("select count(*) from queue.queue where key_limit = 1") == 1
            }
        }
        _ = try await alpha.send(contentsOf: (1...2).map { Ordered(number: $0) })
        let first = try await old.claimOne(bulk)
        #expect(try await old.fail(first, isPermanent: true) == 4)
        #expect(try await old.show(first.id) == ["dead", "halted"])
        #expect(try await old.claim(bulk).jobs.isEmpty, "the key waits for a person")
        let trail = try await QueueAdministration(world.owner).trail(of: JobID(first.id))
        #expect(trail.map(\.attempt) == [1, 1])
        #expect(try await world.violations() == [])
    }

    /// It does not know that a job holds a place of its key, and would not hand it on.
    @Test func `a process of the release before leaves batches of a queue with an order to the present ones`()
        async throws
    {
        let world = try await World.make()
        let old = try await PreviousRelease.join(world, "alpha")
        let queues = try await old.declare("alpha", ["alpha.bulk"])
        let bulk = try #require(queues["alpha.bulk"])
        let alpha = world.bus("alpha")
        let ordered = [QueueDeclaration(Ordered.queue, order: .byKey(atATime: 1))]
        try await world.bus("alpha").running(queues: ordered) {
            try await eventually("the queue has an order") {
                try await world.count("select count(*) from queue.queue where key_limit = 1") == 1
            }
        }
        _ = try await alpha.send(contentsOf: (1...3).map { Ordered(number: $0) })
        #expect(try await old.claim(bulk, isBatched: true).waiting == [bulk])
        try await old.database.transaction { transaction in
            let taken = try await old.take(bulk, limit: 9, in: transaction)
            #expect(taken.isEmpty)
        }
        try await alpha.running(
            queues: ordered,
            handlers: [
                .batch(Ordered.self) { jobs, transaction in
                    for job in jobs { try await note(job.context, in: transaction) }
                }
            ]
        ) {
            try await eventually("all are done") { try await world.isDone(effects: 3) }
        }
        #expect(try await world.violations() == [])
    }
}
